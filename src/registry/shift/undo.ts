import type { Endpoint, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { PlannedWeights } from '../../domain/share-plan.js'
import type { EndpointList } from '../listing.js'
import type { Registry } from '../registry.js'
import { changeWeights, type ShiftOptions, type ShiftResult } from './shift.js'
import { ShiftHistory } from './shift-history.js'

/** The result of an undo. */
export interface Undone extends ShiftResult {
  /** The revision whose weights were restored. */
  readonly restored: Revision
  /** The revision of the undone transaction; null for all changes since `restored`. */
  readonly shiftedAt: Revision | null
  /** Endpoints that keep their weight: it was changed after the shift, or they were registered after it. */
  readonly leftOut: readonly Endpoint[]
}

export interface UndoOptions extends ShiftOptions {
  readonly to?: Revision | undefined
  readonly last?: Revision | undefined
}

/**
 * Undoes the last transaction that wrote several keys of a service and changed a weight: restores the previous weights from
 * etcd's history. If there is no such transaction, undoes the last change of one weight.
 *
 * @param to restores the weights of this revision instead, except for endpoints whose weight was set since then on its
 *   own, not by a shift
 * @param last the transaction to undo, from an earlier plan
 * @throws DiscoError NOT_FOUND; CONFLICT if etcd's history does not contain it
 */
export async function undoShift(
  registry: Registry,
  service: string,
  { to, last, ...options }: UndoOptions = {},
): Promise<Undone> {
  const { client, reader } = registry.internals(options)
  let restored = 0
  let undone: Revision | null = null
  let leftOut: readonly Endpoint[] = []
  const plan = async (list: EndpointList): Promise<PlannedWeights> => {
    const history = new ShiftHistory(client, reader, list.endpoints)
    undone = to === undefined ? (last ?? (await history.lastShift())) : null
    restored = to ?? (undone ?? 1) - 1
    const then = await history.weightsAt(restored)
    const back = undone === null ? toRevision(restored, then) : beforeShift(undone, then)
    const planned = await back(
      list.endpoints.filter(({ problem }) => problem === null),
      history,
    )
    refuseZeros(list.endpoints, then, planned, restored)
    leftOut = planned.leftOut
    return planned.weights
  }
  const shifted = await changeWeights(registry, service, plan, options)
  return { ...shifted, restored, shiftedAt: undone, leftOut }
}

interface UndoPlan {
  readonly weights: PlannedWeights
  readonly leftOut: readonly Endpoint[]
}

type PlanUndo = (usable: readonly Endpoint[], history: ShiftHistory) => Promise<UndoPlan>

/** Restores endpoints that the shift has written, if their weight is still the one that the shift set. */
function beforeShift(shiftedAt: Revision, then: ReadonlyMap<string, number>): PlanUndo {
  return async (usable, history) => {
    const [setTo, written] = [await history.weightsAt(shiftedAt), await history.writtenAt(shiftedAt)]
    const weights = new Map<string, number>()
    const leftOut: Endpoint[] = []
    for (const endpoint of usable) {
      const { key, weight } = endpoint
      const before = then.get(key)
      const isChanged = written.has(key) && setTo.get(key) !== weight
      if (before === undefined || isChanged) leftOut.push(endpoint)
      else if (written.has(key)) weights.set(key, before)
    }
    return { weights, leftOut }
  }
}

/** Restores all endpoints except those whose weight was set since on its own, not by a shift. */
function toRevision(revision: Revision, then: ReadonlyMap<string, number>): PlanUndo {
  return async (usable, history) => {
    if (then.size === 0) {
      const service = usable[0]?.service ?? ''
      throw new DiscoError(
        'CONFLICT',
        `No endpoint of ${service} that is registered now had a weight at revision ${revision}`,
      )
    }
    const alone = new Set((await history.setAlone(revision)).map(({ key }) => key))
    const weights = new Map<string, number>()
    const leftOut: Endpoint[] = []
    for (const endpoint of usable) {
      const { key, weight, createRevision, modRevision } = endpoint
      const isAsRegistered = createRevision > revision && createRevision === modRevision
      const isOthers = alone.has(key) || (isAsRegistered && !then.has(key))
      // An endpoint that was registered since gets its first weight, from before shifts changed it.
      const before = then.get(key) ?? (isOthers ? null : await history.weightBeforeShifts(endpoint))
      if (before === null || (isOthers && before !== weight)) leftOut.push(endpoint)
      else weights.set(key, before)
    }
    return { weights, leftOut }
  }
}

/**
 * Refuses to restore weights that were all 0, which means equal shares, if another endpoint would keep a weight above 0:
 * the restored ones would get no traffic.
 *
 * @throws DiscoError CONFLICT
 */
function refuseZeros(
  endpoints: readonly Endpoint[],
  then: ReadonlyMap<string, number>,
  { weights }: UndoPlan,
  revision: Revision,
): void {
  if ([...then.values()].some((weight) => weight > 0)) return
  const usable = endpoints.filter(({ problem }) => problem === null)
  const one = usable.find(({ key, weight }) => (weights.get(key) ?? weight) > 0)
  const isCut = usable.some(({ key, weight }) => weight > 0 && weights.get(key) === 0)
  if (!one || !isCut) return
  const { service, addr, key } = one
  throw new DiscoError(
    'CONFLICT',
    `The endpoints of ${service} had no weights at revision ${revision}: ${addr || key}, which has one, would get all of the traffic`,
    { suggestions: [`Give all the same weight: disco weight ${service} --all 1`] },
  )
}
