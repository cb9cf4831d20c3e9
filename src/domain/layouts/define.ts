import { readAddress } from '../address.js'
import { type EndpointRecord, type LeaseId, notDialled } from '../endpoint.js'
import { DiscoError } from '../errors.js'
import { isUtf8Key } from '../key-text.js'
import type { DecodedKey, EndpointRecords, Layout, NotAnEndpoint } from './layout.js'
import { Problem } from './layout.js'
import { misplaced } from './root.js'

/** The fields of an endpoint that the key alone gives. */
type KeyParts = Pick<EndpointRecord, 'service' | 'version' | 'addr'>

type RequiredField = 'name' | 'base' | 'keys' | 'defaultTtlSeconds' | 'claims' | 'claimedBy'

/** The part of a layout that differs from other layouts. */
interface Form
  extends Pick<Layout, RequiredField>,
    Partial<Omit<Layout, RequiredField | 'at' | 'prefix' | 'decode' | 'encode'>> {
  /** Default: `{base}/{service}/`. */
  prefix?(base: string, service?: string): string
  /** Reads the key of an unusable value. Default: `{service}/{addr}`. @param rest the key after the base */
  keyParts?(rest: string): KeyParts
  /** Reads a value. @param rest the key after the base @throws Problem */
  read(value: Uint8Array, rest: string): EndpointRecords | NotAnEndpoint
  key(registrations: EndpointRecords, base: string, lease: LeaseId | null): string
  write?(registrations: EndpointRecords): string
}

/** Control characters. Names of endpoints never contain them, and a terminal would interpret them. */
const CONTROLS = /[\0-\x1f\x7f-\x9f]/

/** A layout at its default base, from the part that differs from other layouts. */
export function defineLayout(form: Form): Layout {
  const weightless = form.weightless ?? null
  const prefix = form.prefix ?? prefixUnder
  const ownPrefix = prefix(form.base)
  const baseOf = form.baseOf ?? ((key: string) => (key.startsWith(ownPrefix) ? form.base : null))
  const withDefaults = {
    wantsLease: true,
    readOnly: null,
    isConfiguration: false,
    ownsBase: false,
    firstWeight: weightless === null ? 1 : 0,
    id: 'none' as const,
    weightCaveat: null,
    hasVersion: false,
    allowsSlashes: false,
    baseOf,
    isLikely: (key: string) => baseOf(key) !== null,
    withWeight: () => {
      throw new DiscoError('CONFLICT', `The layout ${form.name} carries no weight: ${weightless}`)
    },
    hint: () => null,
    ...form,
    weightless,
  }
  const layoutAt = (base: string): Layout => ({
    ...withDefaults,
    base,
    at: layoutAt,
    prefix: (service) => prefix(base, service),
    decode: (key, value) => decode(form, base, key, value),
    encode(registrations, lease) {
      checkWritable(this, registrations)
      const key = form.key(registrations, base, lease)
      const value = Buffer.from(form.write?.(registrations) ?? '')
      checkReadBack(form, base, registrations, { key, value })
      return { key, value }
    },
  })
  return layoutAt(form.base)
}

/** `{base}/{service}/`, or `{base}/` without a service. A slash at the end of the base is not doubled. */
export function prefixUnder(base: string, service?: string): string {
  const lead = base === '' || base.endsWith('/') ? base : `${base}/`
  return service === undefined ? lead : `${lead}${service}/`
}

/** The key without its last `segments` segments; null if it has fewer. */
export function baseBefore(key: string, segments: number): string | null {
  let end = key.length
  for (let left = segments; left > 0; left--) {
    if (end <= 0) return null
    end = key.lastIndexOf('/', end - 1)
  }
  return end < 0 ? '' : end === 0 ? '/' : key.slice(0, end)
}

/** Whether a key ends in what looks like an address. Nearly all registrations do; other data rarely does. */
export function endsInAddress(key: string): boolean {
  return /:\d{1,5}$/.test(key) || key.includes('/unix:')
}

function decode(form: Form, base: string, key: string, value: Uint8Array): DecodedKey {
  const lead = (form.prefix ?? prefixUnder)(base)
  const rest = key.startsWith(lead) ? key.slice(lead.length) : key.replace(/^\//, '')
  const keyParts = () => (form.keyParts ?? serviceAndAddr)(rest)
  try {
    const read = form.read(value, rest)
    if ('kind' in read) return read
    if (!isUtf8Key(key)) throw new Problem('key is not UTF-8')
    refuseControls(read)
    const own = form.key(read, base, null)
    if (own !== key) return { kind: 'unusable', ...keyParts(), problem: misplaced(own) }
    return { kind: 'endpoints', records: read.map(withAddressProblem) as unknown as EndpointRecords }
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown
    return { kind: 'unusable', ...keyParts(), problem: { kind: 'unreadable', text: thrown.text } }
  }
}

function serviceAndAddr(rest: string): KeyParts {
  const [service = '', ...tail] = rest.split('/')
  return { service, version: '', addr: tail.join('/') }
}

/** @throws Problem */
function refuseControls(registrations: EndpointRecords): void {
  for (const { service, version, addr } of registrations) {
    refuseControlsIn('name', service)
    refuseControlsIn('version', version)
    refuseControlsIn('addr', addr)
  }
}

/** @throws Problem */
function refuseControlsIn(what: string, text: string): void {
  if (CONTROLS.test(text)) throw new Problem(`${what} has control characters`)
}

/** Marks a record without a problem as not dialled if its address is invalid. */
function withAddressProblem(registered: EndpointRecord): EndpointRecord {
  if (registered.problem) return registered
  const address = readAddress(registered.addr)
  if ('problem' in address) return { ...registered, problem: notDialled(`address ${address.problem}`) }
  if (address.kind === 'tcp' && address.host === '') {
    return { ...registered, problem: notDialled('address has no host') }
  }
  return registered
}

/** @throws DiscoError USAGE */
function checkWritable(layout: Layout, [registered]: EndpointRecords): void {
  const { service, version, weight, id } = registered
  const refuse = (message: string, ...suggestions: string[]) => {
    throw new DiscoError('USAGE', message, { suggestions })
  }
  if (layout.readOnly !== null) refuse(`The layout ${layout.name} cannot be written: ${layout.readOnly}`)
  requireSegment('service name', service, layout.allowsSlashes)
  if (version !== '') {
    if (!layout.hasVersion) refuse(`The layout ${layout.name} has no place for a version`)
    requireSegment('version', version, false)
  }
  if (weight !== 0 && layout.weightless !== null)
    refuse(`The layout ${layout.name} carries no weight: ${layout.weightless}`)
  if (id === undefined) {
    if (layout.id === 'made' || layout.id === 'required')
      refuse(`The layout ${layout.name} needs an id`, 'Give one with --id')
    return
  }
  if (layout.id === 'none') refuse(`The layout ${layout.name} has no place for an id`)
  if (CONTROLS.test(id)) refuse(`The id "${id}" has control characters`)
}

/** Refuses a registration that `decode` would reject, or read as one of another service. @throws DiscoError USAGE */
function checkReadBack(
  form: Form,
  base: string,
  [{ service }]: EndpointRecords,
  { key, value }: { key: string; value: Uint8Array },
): void {
  const decoded = decode(form, base, key, value)
  const isSame = decoded.kind === 'endpoints' && decoded.records[0].service === service
  if (isSame) return
  const problem =
    decoded.kind === 'unusable' ? decoded.problem.text : `${key} would be read as another registration`
  throw new DiscoError('USAGE', `The layout ${form.name} cannot write this: ${problem}`)
}

/** @throws DiscoError USAGE */
function requireSegment(what: string, text: string, mayHaveSlashes: boolean): void {
  const problem =
    text === ''
      ? 'is empty'
      : text.includes('/') && !mayHaveSlashes
        ? 'contains "/"'
        : CONTROLS.test(text)
          ? 'has control characters'
          : null
  if (problem === null) return
  throw new DiscoError('USAGE', `The ${what} "${text}" ${problem}`, {
    suggestions: [
      `A ${what} is one segment of an etcd key, such as ${what === 'version' ? '1.0.0' : 'hello'}`,
    ],
  })
}
