import { setTimeout as delay } from 'node:timers/promises'
import type { EndpointFilter } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import type { SharePart } from '../domain/share-plan.js'
import { isUnknown } from '../registry/etcd-refusals.js'
import type { Interruption, Registry } from '../registry/registry.js'
import { type ShiftOptions, type ShiftResult, shiftShares } from '../registry/shift/shift.js'
import { type RestoreResult, restoreWeights } from './shift-back.js'
import { StepWeights } from './step-weights.js'

export interface StepsRequest {
  readonly service: string
  /** The endpoints whose share changes. */
  readonly filter: EndpointFilter
  /** One share for each step, in millionths. */
  readonly sharesPpm: readonly number[]
  /** How long to wait after a step, before its guard runs and the next step is made. */
  readonly everyMs: number
  /**
   * Decides whether the next step is made; null if no guard is to run. It ends gracefully when `signal` aborts, and at once
   * when `killNow` aborts.
   */
  readonly guard: ((signal: AbortSignal, killNow: AbortSignal) => Promise<GuardResult>) | null
}

export interface GuardResult {
  readonly ok: boolean
  /** A clause, such as `exit code 8`. */
  readonly text: string
}

/** The signals of the first, the second and the third request to stop. The first two end the requests of a step. */
export interface StepsSignals extends Interruption {
  readonly thrice: AbortSignal
}

export interface StepsReports {
  /** @param step from 0 */
  onStep(step: number, shifted: ShiftResult): void
  onGuard(step: number, result: GuardResult): void
  /** Called once, before the original weights are restored. After an abort, it is called before a running step ends. */
  onBack(why: string): void
}

/** One step and the result of its guard; null if there is no guard, or it did not run. */
export interface StepDone {
  readonly shifted: ShiftResult
  readonly guard: GuardResult | null
}

/** How the steps ended. `back`: the restored weights; null if nothing was restored. */
export interface StepsDone {
  readonly end: 'done' | 'guard failed' | 'interrupted'
  readonly steps: readonly StepDone[]
  readonly back: RestoreResult | null
}

/**
 * Shifts in steps. The original weights are restored if a guard fails, the signal aborts, or a step cannot be made. The
 * same happens if another client changes a weight between two steps; that weight is not restored.
 *
 * @param signals the first restores the weights; the second ends the guard, or the restoring, at once; the third ends a
 *   restoring that began after the second
 * @throws DiscoError of the step that failed, after the weights are restored; or of the restore that failed, with the
 *   current weights
 */
export async function shiftInSteps(
  registry: Registry,
  request: StepsRequest,
  reports: StepsReports,
  signals: StepsSignals,
): Promise<StepsDone> {
  const { service, filter, sharesPpm, everyMs, guard } = request
  const { once: signal, twice, thrice } = signals
  const interruptible = registry.interruptible(signals)
  const steps: StepDone[] = []
  const own = new StepWeights()
  let isAnnounced = false
  const announce = (why: string) => {
    if (!isAnnounced && own.hasWritten) {
      isAnnounced = true
      reports.onBack(why)
    }
  }
  const back = async (why: string) => {
    announce(why)
    return own.hasWritten
      ? await restoreWeights(registry, service, own, twice.aborted ? thrice : twice)
      : null
  }
  const onAbort = () => announce('interrupted')
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for (const [step, sharePpm] of sharesPpm.entries()) {
      if (signal.aborted) return { end: 'interrupted', steps, back: await back('interrupted') }
      let shifted: ShiftResult
      try {
        shifted = await makeStep(interruptible, service, { filter, sharePpm }, own)
      } catch (thrown) {
        // Before the step was sent.
        if (signal.aborted && thrown === signal.reason) {
          return { end: 'interrupted', steps, back: await back('interrupted') }
        }
        const error = DiscoError.from(thrown)
        const restored = await back(error.message)
        throw restored === null ? error : restoredError(error, restored)
      }
      reports.onStep(step, shifted)
      const isLast = step === sharesPpm.length - 1
      if (!isLast || guard) await delay(everyMs, undefined, { signal }).catch(() => undefined)
      const result = guard && !signal.aborted ? await guard(signal, twice) : null
      if (result !== null && !signal.aborted) reports.onGuard(step, result)
      steps.push({ shifted, guard: result })
      if (signal.aborted) return { end: 'interrupted', steps, back: await back('interrupted') }
      if (result?.ok === false) {
        return { end: 'guard failed', steps, back: await back(`the guard failed: ${result.text}`) }
      }
    }
    return { end: 'done', steps, back: null }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function makeStep(
  registry: Registry,
  service: string,
  part: SharePart,
  own: StepWeights,
): Promise<ShiftResult> {
  const sent: Parameters<NonNullable<ShiftOptions['onSend']>>[] = []
  try {
    const onSend: ShiftOptions['onSend'] = (...plan) => sent.push(plan)
    const shifted = await shiftShares(registry, service, [part], { expect: own.lastStep, onSend })
    const weights = new Map(shifted.changes.map(({ endpoint }) => [endpoint.key, endpoint.weight]))
    own.addStep(shifted.before.endpoints, weights)
    return shifted
  } catch (thrown) {
    const [before, weights] = sent.at(-1) ?? []
    if (isUnknown(thrown) && before && weights) own.addUnconfirmedStep(before.endpoints, weights)
    throw thrown
  }
}

/** The error of a step, with the restored weights. */
function restoredError(error: DiscoError, { revision, leftOut, changes }: RestoreResult): DiscoError {
  const { code, message, suggestions, cause } = error
  const keep = leftOut.slice(0, MAX_NAMED).map(({ addr, key, weight }) => `${addr || key} ${weight}`)
  const more = leftOut.length > MAX_NAMED ? ', …' : ''
  const but = leftOut.length === 0 ? '' : `, except for ${count(leftOut.length)}`
  const restored =
    changes.length === leftOut.length
      ? `No weight was restored (rev ${revision})`
      : `The weights from before the shift are restored${but} (rev ${revision})`
  return new DiscoError(code, message, {
    cause,
    suggestions: [
      restored,
      ...(keep.length === 0
        ? []
        : [`These keep a weight that was set or registered since: ${keep.join(', ')}${more}`]),
      ...suggestions,
    ],
  })
}

/** Maximum number of endpoints in a message. */
const MAX_NAMED = 5

function count(endpoints: number): string {
  return `${endpoints} ${endpoints === 1 ? 'endpoint' : 'endpoints'}`
}
