import { setTimeout as delay } from 'node:timers/promises'
import type { Probe, Probed } from '../probes/probe.js'
import { type GateRules, HealthGate } from './gate.js'

export interface ProbeTiming extends GateRules {
  readonly intervalMs: number
  readonly deadlineMs: number
}

/** Until a server was healthy for the first time, nobody should wait for a whole interval. */
const START_INTERVAL_MS = 200

/** Probes on and on, one at a time, until the signal aborts; tells each answer and what it turned. */
export async function* healthOf(
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
