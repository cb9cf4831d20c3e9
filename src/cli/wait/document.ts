import type { WaitRequest, WaitResult } from '../../agent/wait/request.js'
import { formatWaitCondition } from '../../domain/wait-condition.js'

export interface WaitDoc {
  readonly schema: 'disco.wait/v1'
  /** Null for all services. */
  readonly service: string | null
  readonly rev: string
  /** The conditions of --for, such as `ready>=3`. All of them held when the wait ended. */
  readonly for: readonly string[]
  readonly elapsedMs: number
  /** How long the conditions had held; null unless they had to hold for some time. */
  readonly heldMs: number | null
  /** Number of endpoints with a valid registration. */
  readonly endpoints: number
  /** Number of READY endpoints; null if no condition is about it, so that no endpoint was dialled. */
  readonly ready: number | null
  /** Number of healthy endpoints; null if no condition is about it, so that no endpoint was probed. */
  readonly healthy: number | null
}

export function waitDoc(
  { service, conditions, holdMs }: Pick<WaitRequest, 'service' | 'conditions' | 'holdMs'>,
  { revision, facts, elapsedMs, heldMs }: WaitResult,
): WaitDoc {
  const { endpoints, ready, healthy } = facts
  return {
    schema: 'disco.wait/v1',
    service: service ?? null,
    rev: String(revision),
    for: conditions.map(formatWaitCondition),
    elapsedMs: Math.round(elapsedMs),
    heldMs: holdMs === 0 ? null : Math.round(heldMs),
    endpoints: endpoints.filter(({ problem }) => problem === null).length,
    ready: ready?.size ?? null,
    healthy: healthy?.size ?? null,
  }
}
