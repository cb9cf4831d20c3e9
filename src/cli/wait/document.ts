import type { Waited } from '../../agent/wait.js'
import { formatWaitCondition, type WaitCondition } from '../../domain/wait-condition.js'

export interface WaitDoc {
  readonly schema: 'disco.wait/v1'
  readonly service: string
  readonly rev: string
  /** What was waited for. */
  readonly for: readonly string[]
  readonly elapsedMs: number
  readonly endpoints: number
  /** Null where nothing was said of them, so that nobody was asked. */
  readonly ready: number | null
  readonly healthy: number | null
}

export function waitDoc(
  service: string,
  conditions: readonly WaitCondition[],
  { revision, facts, elapsedMs }: Waited,
): WaitDoc {
  const { endpoints, ready, healthy } = facts
  return {
    schema: 'disco.wait/v1',
    ...{ service, rev: String(revision) },
    for: conditions.map(formatWaitCondition),
    elapsedMs: Math.round(elapsedMs),
    endpoints: endpoints.filter(({ problem }) => problem === null).length,
    ...{ ready, healthy },
  }
}
