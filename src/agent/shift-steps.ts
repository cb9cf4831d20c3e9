import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint } from '../domain/endpoint.js'
import type { EndpointFilter } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import type { Registry } from '../registry/registry.js'
import { changeWeights, type Shifted, shiftShares } from '../registry/shift/shift.js'

export interface StepsRequest {
  readonly service: string
  /** Whose share grows, or shrinks. */
  readonly filter: EndpointFilter
  /** In millionths, one a step. */
  readonly sharesPpm: readonly number[]
  /** How long a step stands before its guard, and before the next one. */
  readonly everyMs: number
  /** Decides whether the next step may come; null for time alone. It ends early when its signal aborts. */
  readonly guard: ((signal: AbortSignal) => Promise<GuardResult>) | null
}

export interface GuardResult {
  readonly ok: boolean
  /** A clause, such as `exit code 8`. */
  readonly text: string
}

export interface StepsReports {
  /** @param step from 0 */
  onStep(step: number, shifted: Shifted): void
  onGuard(step: number, result: GuardResult): void
  /** Called before the weights from before the first step are restored. */
  onBack(why: string): void
}

/** One step, and what its guard said; null where there is none, or it was not asked. */
export interface StepDone {
  readonly shifted: Shifted
  readonly guard: GuardResult | null
}

/** How the steps ended. `back`: the weights from before are restored, but for endpoints that others have changed. */
export interface StepsDone {
  readonly end: 'done' | 'guard failed' | 'interrupted'
  readonly steps: readonly StepDone[]
  readonly back: (Shifted & { readonly leftOut: readonly Endpoint[] }) | null
}

/**
 * Shifts in steps. A guard that fails, an abort, or a step that cannot be made restores the weights from before the first
 * step. A weight that another client changes between two steps ends it in the same way, and stays.
 *
 * @param hurry ends the way back: it then says where it stands
 * @throws DiscoError of the step that could not be made, once the weights are restored; with where it stands, if they
 *   could not be
 */
export async function shiftInSteps(
  registry: Registry,
  { service, filter, sharesPpm, everyMs, guard }: StepsRequest,
  reports: StepsReports,
  signal: AbortSignal,
  hurry: AbortSignal,
): Promise<StepsDone> {
  const steps: StepDone[] = []
  let original: ReadonlyMap<string, number> | null = null
  let ours: ReadonlyMap<string, number> = new Map()
  const back = async (why: string) => {
    if (original === null) return null
    reports.onBack(why)
    return await restore(registry, service, original, ours, hurry)
  }
  for (const [step, sharePpm] of sharesPpm.entries()) {
    if (signal.aborted) return { end: 'interrupted', steps, back: await back('interrupted') }
    let shifted: Shifted
    try {
      shifted = await shiftShares(registry, service, [{ filter, sharePpm }], { expect: ours })
    } catch (thrown) {
      const error = DiscoError.from(thrown)
      const restored = await back(error.message)
      throw restored === null ? error : wentBack(error, restored.revision)
    }
    original ??= new Map(shifted.before.endpoints.map(({ key, weight }) => [key, weight]))
    ours = new Map(shifted.changes.map(({ endpoint }) => [endpoint.key, endpoint.weight]))
    reports.onStep(step, shifted)
    const isLast = step === sharesPpm.length - 1
    if (!isLast || guard) await delay(everyMs, undefined, { signal }).catch(() => undefined)
    const result = guard && !signal.aborted ? await guard(signal) : null
    if (result !== null && !signal.aborted) reports.onGuard(step, result)
    steps.push({ shifted, guard: result })
    if (signal.aborted) return { end: 'interrupted', steps, back: await back('interrupted') }
    if (result?.ok === false) {
      return { end: 'guard failed', steps, back: await back(`the guard failed: ${result.text}`) }
    }
  }
  return { end: 'done', steps, back: null }
}

/** Restores weights, but of endpoints whose weight another client has changed since. */
async function restore(
  registry: Registry,
  service: string,
  original: ReadonlyMap<string, number>,
  ours: ReadonlyMap<string, number>,
  hurry: AbortSignal,
): Promise<Shifted & { readonly leftOut: readonly Endpoint[] }> {
  let leftOut: readonly Endpoint[] = []
  try {
    const restored = await changeWeights(
      registry,
      service,
      ({ endpoints }) => {
        const isTouched = ({ key, weight }: Endpoint) => ours.has(key) && ours.get(key) !== weight
        leftOut = endpoints.filter(isTouched)
        const kept = endpoints.filter((endpoint) => original.has(endpoint.key) && !isTouched(endpoint))
        return new Map(kept.map(({ key }) => [key, original.get(key) ?? 0]))
      },
      { signal: hurry },
    )
    return { ...restored, leftOut }
  } catch (thrown) {
    const error = hurry.aborted
      ? new DiscoError('INTERRUPTED', 'Interrupted on the way back')
      : DiscoError.from(thrown)
    const weights = [...ours].map(([key, weight]) => `${key} ${weight}`)
    throw new DiscoError(error.code, `${error.message}: the weights of the last step stand`, {
      cause: thrown,
      suggestions: [`They are: ${weights.slice(0, MOST_NAMED).join(', ')}`, ...error.suggestions],
    })
  }
}

/** Maximum number of keys with their weight in a message. */
const MOST_NAMED = 5

function wentBack({ code, message, suggestions, cause }: DiscoError, revision: number): DiscoError {
  return new DiscoError(code, message, {
    cause,
    suggestions: [`The weights from before the shift are restored (rev ${revision})`, ...suggestions],
  })
}
