import type { Endpoint, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Reader } from '../../domain/layouts/reader.js'
import type { PlannedWeights } from '../../domain/share-plan.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { isOutOfHistory } from '../../etcd/range.js'
import type { EndpointList } from '../listing.js'
import type { Registry } from '../registry.js'
import { changeWeights, type Shifted, type ShiftOptions } from './shift.js'
import { readAllKeys } from './weights.js'

/** The result of an undo. */
export interface Undone extends Shifted {
  /** The revision whose weights it restores. */
  readonly restored: Revision
  /** The transaction that it undoes; null for all changes since `restored`. */
  readonly shiftedAt: Revision | null
  /** Endpoints whose weight was changed since the shift, or that did not stand before: they keep what they have. */
  readonly leftOut: readonly Endpoint[]
}

export interface UndoOptions extends ShiftOptions {
  readonly to?: Revision | undefined
  readonly last?: Revision | undefined
}

/** Revisions that are looked at for the last shift. */
const MOST_STEPS = 200

/**
 * Restores the weights from before the last transaction that changed weights of several keys of a service, by etcd's
 * history; from before the last change of one weight, where there is no such transaction.
 *
 * @param to restores those of this revision instead
 * @param last the transaction to undo, from an earlier plan
 * @throws DiscoError NOT_FOUND; CONFLICT where etcd's history does not have it
 */
export async function undoShift(
  registry: Registry,
  service: string,
  { to, last, ...options }: UndoOptions = {},
): Promise<Undone> {
  const { client, reader } = registry.inside(options)
  let restored = 0
  let undone: Revision | null = null
  let leftOut: readonly Endpoint[] = []
  const at = (keys: readonly string[], revision: Revision) =>
    readAllKeys(client, keys, revision).catch((error: unknown) => {
      if (!isOutOfHistory(error)) throw error
      throw new DiscoError('CONFLICT', `etcd's history no longer has revision ${revision}, or not yet`, {
        cause: error,
        suggestions: [`Set the weights by shares: disco shift ${service} version=1.0.0=50%`],
      })
    })
  const plan = async (list: EndpointList): Promise<PlannedWeights> => {
    const keys = [...new Set(list.endpoints.map(({ key }) => key))]
    const shiftedAt = to === undefined ? (last ?? (await lastShift(list, reader, at))) : null
    undone = shiftedAt
    restored = to ?? (shiftedAt ?? 1) - 1
    const then = weightsOf(reader, await at(keys, restored))
    const set = shiftedAt === null ? null : await at(keys, shiftedAt)
    const setTo = set && weightsOf(reader, set)
    const weights = new Map<string, number>()
    const others: Endpoint[] = []
    for (const [index, key] of keys.entries()) {
      const now = list.endpoints.find((endpoint) => endpoint.key === key)
      const weight = then.get(key)
      if (!now || now.problem !== null) continue
      const isOfShift = set === null || set[index]?.modRevision === shiftedAt
      const isTouched = isOfShift && setTo !== null && setTo.get(key) !== now.weight
      if (weight === undefined || isTouched) others.push(now)
      else if (isOfShift) weights.set(key, weight)
    }
    if (weights.size === 0 && to !== undefined) {
      throw new DiscoError(
        'CONFLICT',
        `No endpoint of ${service} that stands now had a weight at revision ${to}`,
      )
    }
    leftOut = others
    return weights
  }
  const shifted = await changeWeights(registry, service, plan, options)
  return { ...shifted, restored, shiftedAt: undone, leftOut }
}

/** @throws DiscoError CONFLICT where history has no change of a weight */
async function lastShift(
  { endpoints }: EndpointList,
  reader: Reader,
  at: (keys: readonly string[], revision: Revision) => Promise<(KeyValue | null)[]>,
): Promise<Revision> {
  const byRevision = new Map<Revision, Map<string, number>>()
  for (const { key, weight, modRevision, createRevision, problem } of endpoints) {
    if (problem !== null || modRevision === createRevision) continue
    const keys = byRevision.get(modRevision) ?? new Map<string, number>()
    byRevision.set(modRevision, keys.set(key, weight))
  }
  let single: Revision | null = null
  const latest = [...byRevision].sort(([a], [b]) => b - a).slice(0, MOST_STEPS)
  for (const [revision, keys] of latest) {
    const before = weightsOf(reader, await at([...keys.keys()], revision - 1))
    const hasChanged = [...keys].some(([key, weight]) => (before.get(key) ?? weight) !== weight)
    if (hasChanged && keys.size > 1) return revision
    if (hasChanged) single ??= revision
  }
  if (single !== null) return single
  const service = endpoints[0]?.service ?? ''
  throw new DiscoError('CONFLICT', `etcd's history shows no change of the weights of ${service}`)
}

/** Weights by key, without keys that cannot be read. */
function weightsOf(reader: Reader, kvs: readonly (KeyValue | null)[]): Map<string, number> {
  const weights = new Map<string, number>()
  for (const kv of kvs) {
    const decoded = kv && reader.read(kv.key, kv.value)?.decoded
    if (kv && decoded?.kind === 'endpoints') weights.set(kv.key, decoded.records[0].weight)
  }
  return weights
}
