import { type Endpoint, isReadable } from '../../domain/endpoint.js'
import { isWeightless } from '../../domain/layouts/index.js'
import { type Difference, type DifferentField, differencesBetween } from '../../domain/registry-diff.js'
import { type PatchOperation, patchBetween, stateDoc } from '../../domain/state-patch.js'

/** One of the two compared states. */
export interface SideDoc {
  readonly source: 'registry' | 'context' | 'file'
  /** The name of the context or file; null for the registry of the command line. */
  readonly name: string | null
  /** Null for a file without a revision. */
  readonly rev: string | null
  readonly root: string
}

/** An endpoint in one state. */
export interface StateEndpointDoc {
  readonly key: string
  readonly layout: string
  /** Null if the layout carries no weight, or the registration is unreadable. */
  readonly weight: number | null
  readonly problem: string | null
}

export interface DifferenceDoc {
  readonly type: 'added' | 'removed' | 'changed'
  readonly service: string
  readonly addr: string
  readonly version: string
  /** Null if the state lacks the endpoint. */
  readonly from: StateEndpointDoc | null
  readonly to: StateEndpointDoc | null
  /** The fields that differ; empty unless the endpoint is in both states. */
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
  /**
   * A JSON patch (RFC 6902) that turns `from` into `to`. It applies to an object whose members are services. The
   * members of a service are its endpoints, named `ADDRESS VERSION`, and the members of an endpoint are its fields.
   */
  readonly patch: readonly PatchOperation[]
}

/**
 * The fields of endpoints in documents of `ls --json`. Ids and fields that only some layouts have are missing there.
 */
const LIST_FIELDS = new Set(['layout', 'version', 'weight', 'problem'])

/** One of the two compared states, with its endpoints. */
export interface DiffSide {
  readonly doc: SideDoc
  readonly endpoints: readonly Endpoint[]
  /** Whether the state comes from `ls --json`, which lacks some fields. */
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
