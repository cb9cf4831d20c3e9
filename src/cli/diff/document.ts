import { type Endpoint, isReadable } from '../../domain/endpoint.js'
import { isWeightless } from '../../domain/layouts/index.js'
import { type Difference, type DifferentField, differencesBetween } from '../../domain/registry-diff.js'
import { type PatchOperation, patchBetween, stateDoc } from '../../domain/state-patch.js'

/** One of the two compared states. */
export interface SideDoc {
  readonly source: 'registry' | 'context' | 'file'
  /** Of the context, or of the file; null for the registry itself. */
  readonly name: string | null
  /** Null for a file that does not say it. */
  readonly rev: string | null
  readonly root: string
}

/** An endpoint in one state. */
export interface StateEndpointDoc {
  readonly key: string
  readonly layout: string
  /** Null where the layout carries none. */
  readonly weight: number | null
  readonly problem: string | null
}

export interface DifferenceDoc {
  readonly type: 'added' | 'removed' | 'changed'
  readonly service: string
  readonly addr: string
  readonly version: string
  /** Null where the state lacks the endpoint. */
  readonly from: StateEndpointDoc | null
  readonly to: StateEndpointDoc | null
  /** Those that differ; empty unless the endpoint is in both states. */
  readonly fields: readonly DifferentField[]
}

export interface DiffDoc {
  readonly schema: 'disco.diff/v1'
  /** Null for all services. */
  readonly service: string | null
  readonly from: SideDoc
  readonly to: SideDoc
  readonly equal: boolean
  readonly differences: readonly DifferenceDoc[]
  /** A JSON patch (RFC 6902) of the state before: services, in them endpoints by `ADDRESS VERSION`, in them fields. */
  readonly patch: readonly PatchOperation[]
}

/** Fields of a list of endpoints, such as `ls --json`; it has neither ids nor what only a layout knows. */
const LIST_FIELDS = new Set(['layout', 'version', 'weight', 'problem'])

/** One of the two states that are compared. */
export interface DiffSide {
  readonly doc: SideDoc
  readonly endpoints: readonly Endpoint[]
  /** Whether it comes from a list, which lacks some fields. */
  readonly isList: boolean
}

export function diffDoc(service: string | undefined, from: DiffSide, to: DiffSide): DiffDoc {
  const isListOnly = from.isList || to.isList
  const isKnown = (field: string) => !isListOnly || LIST_FIELDS.has(field) || field.startsWith('metadata.')
  const differences = differencesBetween(from.endpoints, to.endpoints, isKnown)
  const equal = differences.length === 0
  return {
    schema: 'disco.diff/v1',
    service: service ?? null,
    from: from.doc,
    to: to.doc,
    equal,
    differences: differences.map(differenceDoc),
    patch: equal ? [] : patchBetween(stateDoc(from.endpoints, isKnown), stateDoc(to.endpoints, isKnown)),
  }
}

function differenceDoc({ from, to, fields }: Difference): DifferenceDoc {
  const { service, addr, version } = (to ?? from) as Endpoint
  return {
    type: from === null ? 'added' : to === null ? 'removed' : 'changed',
    service,
    addr,
    version,
    from: from && stateEndpointDoc(from),
    to: to && stateEndpointDoc(to),
    fields,
  }
}

function stateEndpointDoc(endpoint: Endpoint): StateEndpointDoc {
  const { key, layout, weight, problem } = endpoint
  const isWeighted = isReadable(endpoint) && !isWeightless(layout)
  return { key, layout, weight: isWeighted ? weight : null, problem: problem?.text ?? null }
}
