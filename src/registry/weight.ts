import type { Abortable } from '../domain/abortable.js'
import { type Endpoint, isReadable, type Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { Reader } from '../domain/layouts/reader.js'
import { shareWithin, weightsAreUnset } from '../domain/shares.js'
import { changeWeight, type WeightChange } from '../domain/weight.js'
import type { EtcdClient } from '../etcd/client.js'
import { MAX_WRITES } from '../etcd/guarded-write.js'
import type { KeyValue } from '../etcd/pairs.js'
import { decodeEndpoints } from './decode.js'
import { explainUnknown } from './etcd-refusals.js'
import { refusePercentOfZero, refuseUnsetChange, weightedKeyFor } from './weight-guard.js'
import { type LeftOut, nothingToChange, type Targets } from './weight-targets.js'
import { unknownWeights } from './weight-unknown.js'
import { changeKeys, type KeyChange } from './weight-write.js'

/** One endpoint's weight, before and after. Each address under a key has its own entry. */
export interface EndpointChange {
  /** The endpoint after the change. */
  readonly endpoint: Endpoint
  /** The previous weight; null if it could not be read. */
  readonly from: number | null
  readonly to: number
  /** False if the endpoint already had the weight, so that nothing was written. */
  readonly written: boolean
  /** The endpoint's part of the service's traffic, before and after. */
  readonly shareFraction: { readonly from: number; readonly to: number }
}

/** The result of a weight change. */
export interface WeightChanged {
  /** The revision of the latest change; with `dryRun`, of the list. */
  readonly revision: Revision
  readonly changes: readonly EndpointChange[]
  /** Selected endpoints that were not changed, with the reason. */
  readonly leftOut: readonly LeftOut[]
}

/** Options of a weight change. */
export interface WeightOptions extends Abortable {
  /** Whether to allow a change that drains the other endpoints or turns the weights off. Default: false. */
  readonly force?: boolean | undefined
  /** Whether a change of all endpoints that meet conditions includes those at weight 0. Default: false. */
  readonly drained?: boolean | undefined
  /** Whether to write nothing and return the planned result. Default: false. */
  readonly dryRun?: boolean | undefined
}

/**
 * The result that a change would have, computed from a list of the service.
 *
 * @param revision the revision of that list
 * @throws DiscoError CONFLICT, as {@link setWeight}
 */
export function plannedWeights(
  targets: Targets,
  change: WeightChange,
  revision: Revision,
  { force = false }: WeightOptions,
): WeightChanged {
  const { service, selected, leftOut } = targets
  refusePercentOfZero(targets, change)
  if (!force) refuseUnsetChange(targets, change)
  const byKey = new Map<string, KeyChange>()
  for (const { key } of selected) {
    const before = service.filter((endpoint) => endpoint.key === key)
    const after = before.map((endpoint) => ({ ...endpoint, weight: changeWeight(endpoint.weight, change) }))
    byKey.set(key, { key, revision, before, after, written: false })
  }
  return { revision, changes: changesOf(service, byKey), leftOut }
}

/**
 * Changes the selected keys in one transaction, or in several if etcd's limits require it. The addresses under one key
 * share its weight. A key that was written since it was selected is changed only if it still matches.
 *
 * @throws DiscoError NOT_FOUND, CONFLICT, OUTCOME_UNKNOWN; if some keys were already changed, `suggestions` names them
 */
export async function setWeight(
  client: EtcdClient,
  reader: Reader,
  targets: Targets,
  change: WeightChange,
  { force = false }: WeightOptions,
): Promise<WeightChanged> {
  const { service, selected } = targets
  refusePercentOfZero(targets, change)
  if (!force) refuseUnsetChange(targets, change)
  const allowsUnset = force || weightsAreUnset(service)
  const keys = [...new Set(selected.map(({ key }) => key))]
  const byKey = new Map<string, KeyChange>()
  const leftOut = new Map<string, LeftOut>()
  const isSettled = (key: string) => byKey.has(key) || leftOut.has(key)
  const weightedKey = allowsUnset ? null : weightedKeyFor(client, reader, targets, change, isSettled)
  const isTarget = (kv: KeyValue) => {
    const now = decodeEndpoints(reader, kv, selected[0]?.service)
    const reason = targets.recheck(now)
    const endpoint = now[0] ?? selected.find(({ key }) => key === kv.key)
    if (reason && endpoint) leftOut.set(kv.key, { endpoint, ...reason })
    else leftOut.delete(kv.key)
    return reason === null
  }
  for (let at = 0; at < keys.length; ) {
    const part = keys.slice(at, at + MAX_WRITES)
    const done = () => [...byKey.values()]
    const changed = await changeKeys(client, reader, part, change, { isTarget, weightedKey }).catch(
      (error: unknown) => {
        throw inPart(explained(error, targets, part), done())
      },
    )
    if ('unknown' in changed) throw inPart(unknownWeights(change, changed.unknown), done())
    for (const one of changed.changes) byKey.set(one.key, one)
    at += changed.keys
  }
  const gone = selected.filter(({ key }) => !isSettled(key))
  if (byKey.size === 0) {
    if (leftOut.size > 0) throw nothingToChange([...leftOut.values()])
    throw new DiscoError('NOT_FOUND', `${keys.join(', ')} disappeared while the weight was being changed`)
  }
  const revision = Math.max(...[...byKey.values()].map((changed) => changed.revision))
  const removed = gone.map((endpoint) => ({
    endpoint,
    reason: 'gone' as const,
    text: 'it disappeared meanwhile',
  }))
  return {
    revision,
    changes: changesOf(service, byKey),
    leftOut: [...targets.leftOut, ...leftOut.values(), ...removed],
  }
}

function explained(error: unknown, { selected }: Targets, part: readonly string[]): unknown {
  const endpoints = selected.filter(({ key }) => part.includes(key))
  const [first] = endpoints
  const service = first?.service ?? ''
  const which =
    endpoints.length === 1 ? `weight of ${first?.addr}` : `weights of ${endpoints.length} endpoints`
  const next = `Check the weights before you try again: disco ls ${service}`
  return explainUnknown(error, `The ${which} of ${service} may have been changed`, next)
}

/** Adds a suggestion to an error: the keys that were already changed. */
function inPart(error: unknown, done: readonly KeyChange[]): unknown {
  const [first] = done
  const last = done.at(-1)
  if (!first || !last) return error
  const { code, message, suggestions, cause, exit } = DiscoError.from(error)
  const keys = `${first.key} to ${last.key}, ${done.length} keys (rev ${last.revision})`
  return new DiscoError(code, message, {
    cause,
    exit,
    suggestions: [`Changed before that: ${keys}`, ...suggestions],
  })
}

function changesOf(service: readonly Endpoint[], byKey: ReadonlyMap<string, KeyChange>): EndpointChange[] {
  const others = service.filter(({ key }) => !byKey.has(key))
  const changed = [...byKey.values()]
  const shareBefore = shareWithin([...others, ...changed.flatMap(({ before }) => before)])
  const shareAfter = shareWithin([...others, ...changed.flatMap(({ after }) => after)])
  return changed.flatMap(({ before, after, written }) =>
    after.map((endpoint) => {
      const old = before.find((former) => former.addr === endpoint.addr && isReadable(former))
      const shareFraction = { from: old ? shareBefore(old) : 0, to: shareAfter(endpoint) }
      return { endpoint, from: old?.weight ?? null, to: endpoint.weight, written, shareFraction }
    }),
  )
}
