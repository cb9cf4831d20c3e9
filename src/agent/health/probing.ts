import { setTimeout as delay } from 'node:timers/promises'
import type { Probe, Probed } from './probes.js'

export interface GateRules {
  /** Consecutive successes after which the server is healthy. */
  readonly rise: number
  /** Consecutive failures after which the server is unhealthy. */
  readonly fall: number
}

export interface ProbeTiming extends GateRules {
  readonly intervalMs: number
  readonly deadlineMs: number
}

/** Interval until the server is healthy for the first time: shorter, so that its registration is not delayed. */
const START_INTERVAL_MS = 200

/** Debounces probe results with rise and fall thresholds. */
export class HealthGate {
  private health: 'unknown' | 'good' | 'bad' = 'unknown'
  private streak = 0

  constructor(private readonly rules: GateRules) {}

  /** Whether the server has never been healthy. */
  get isUnknown(): boolean {
    return this.health === 'unknown'
  }

  /** @returns the new health if this result changed it, or null */
  note(isHealthy: boolean): 'healthy' | 'unhealthy' | null {
    if (isHealthy === (this.health === 'good')) {
      this.streak = 0
      return null
    }
    this.streak++
    if (this.streak < (isHealthy ? this.rules.rise : this.rules.fall)) return null
    this.streak = 0
    this.health = isHealthy ? 'good' : 'bad'
    return isHealthy ? 'healthy' : 'unhealthy'
  }
}

/**
 * Probes a server once an interval, one probe at a time, until the signal aborts. Yields each result; `turned` is the new
 * health if the result changed it, or null.
 */
export async function* probeAtIntervals(
  probe: Probe,
  timing: ProbeTiming,
  signal: AbortSignal,
): AsyncGenerator<Probed & { readonly turned: 'healthy' | 'unhealthy' | null; readonly tookMs: number }> {
  const gate = new HealthGate(timing)
  while (!signal.aborted) {
    const startMs = performance.now()
    const probed = await probe(timing.deadlineMs)
    const tookMs = performance.now() - startMs
    if (signal.aborted) return
    yield { ...probed, turned: gate.note(probed.isHealthy), tookMs }
    const periodMs = gate.isUnknown ? Math.min(START_INTERVAL_MS, timing.intervalMs) : timing.intervalMs
    await delay(Math.max(0, periodMs - tookMs), undefined, { signal }).catch(() => undefined)
  }
}
