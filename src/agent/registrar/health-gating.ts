import { DiscoError } from '../../domain/errors.js'
import type { EventSink } from '../../registry/registration/events.js'
import type { Probe } from '../health/probes.js'
import { type ProbeTiming, probeAtIntervals } from '../health/probing.js'
import type { RegistrarEvents } from './events.js'
import type { Event } from './state.js'

/** Probes that decide whether the server is registered. */
export interface HealthGating {
  readonly probe: Probe
  readonly timing: ProbeTiming
  /** Whether to stop probing once the server is healthy. */
  readonly isStartOnly: boolean
  /** How long the server may take to become healthy, from the first probe on; null if there is no limit. */
  readonly startMs: number | null
}

/**
 * Probes the server until the signal aborts. Emits every result, and hands each change of its health, or a start that
 * took too long (WAIT_TIMED_OUT), to `apply`.
 */
export async function gateOnHealth(
  { probe, timing, isStartOnly, startMs }: HealthGating,
  events: EventSink<Pick<RegistrarEvents, 'probed' | 'failing' | 'healthy' | 'unhealthy'>>,
  apply: (event: Event) => void,
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = performance.now()
  let detail: string | null = null
  let wasHealthy = false
  let isLate = false
  /** Waits for the first result, even if its probe ends after the deadline. */
  const failIfLate = () => {
    if (!isLate || wasHealthy || detail === null) return
    const message = `Not healthy after ${(startMs ?? 0) / 1000}s: ${detail}`
    apply({ type: 'failed', error: new DiscoError('WAIT_TIMED_OUT', message) })
  }
  const onLate = () => {
    isLate = true
    failIfLate()
  }
  const timer = startMs === null ? undefined : setTimeout(onLate, startMs)
  try {
    for await (const probed of probeAtIntervals(probe, timing, signal)) {
      const isNewDetail = detail !== probed.detail
      detail = probed.detail
      events.emit('probed', probed)
      if (probed.turned === 'healthy') {
        events.emit('healthy', { detail, afterMs: performance.now() - startedAtMs, again: wasHealthy })
        wasHealthy = true
      } else if (probed.turned === 'unhealthy') events.emit('unhealthy', { detail })
      else if (!wasHealthy && isNewDetail) events.emit('failing', { detail, isRefused: probed.isRefused })
      if (probed.turned) apply({ type: probed.turned })
      failIfLate()
      if (wasHealthy && isStartOnly) return
    }
  } finally {
    clearTimeout(timer)
  }
}
