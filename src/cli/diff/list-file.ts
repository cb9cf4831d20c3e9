import type { Endpoint } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { EndpointDoc, EndpointsDoc, SelectedDoc } from '../endpoints/document.js'

/** The endpoints of a document of `ls --json`. */
export interface ListFile {
  readonly rev: string
  readonly endpoints: readonly Endpoint[]
}

/**
 * Reads a document of `disco ls SERVICE --json` or `disco ls -l … --json`. Returns null for any other text.
 *
 * @param name the name of the file, for messages
 * @throws DiscoError USAGE for a document of `disco ls`, which has no endpoints, and for a damaged document
 */
export function readListFile(text: string, name: string): ListFile | null {
  const doc = parsed(text)
  const schema = doc?.schema
  if (schema === 'disco.services/v1') {
    throw new DiscoError('USAGE', `${name} has no endpoints, only services`, {
      suggestions: ['disco export writes all of them: disco export > FILE'],
    })
  }
  if (schema !== 'disco.endpoints/v1' && schema !== 'disco.selected/v1') return null
  try {
    const lists = schema === 'disco.endpoints/v1' ? [doc as unknown as EndpointsDoc] : servicesIn(doc)
    const rev = requireText(doc?.rev)
    return {
      rev,
      endpoints: lists.flatMap(({ service, endpoints }) => endpoints.map((one) => endpointIn(service, one))),
    }
  } catch (cause) {
    throw new DiscoError('USAGE', `${name} is not a complete document of disco ls --json`, { cause })
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : null
  } catch {
    return null
  }
}

const servicesIn = (doc: unknown) => (doc as SelectedDoc).services

/** @throws TypeError if a member is missing or has a wrong type */
function endpointIn(service: string, doc: EndpointDoc): Endpoint {
  const { weight, metadata, problem } = doc
  if (typeof weight !== 'number' || typeof metadata !== 'object') throw new TypeError('a member is missing')
  return {
    service: requireText(service),
    version: requireText(doc.version),
    addr: requireText(doc.addr),
    weight,
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, requireText(value)])),
    key: requireText(doc.key),
    layout: requireText(doc.layout),
    problem: problem === null ? null : { kind: 'not-dialled', text: requireText(problem) },
    lease: null,
    createRevision: 0,
    modRevision: 0,
  }
}

function requireText(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('a member is not a text')
}
