import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EndpointList } from '../registry/listing.js'
import type { Registry } from '../registry/registry.js'
import { changeWeights, type ShiftResult } from '../registry/shift/shift.js'
import type { StepWeights } from './step-weights.js'

/** The weights restored after a shift in steps. */
export interface RestoreResult extends ShiftResult {
  /** Endpoints that keep their weight: another client has set it, or they were registered since. */
  readonly leftOut: readonly Endpoint[]
  /**
   * The weight that endpoints get instead of 0. Set if the service had no weights before, but an endpoint in `leftOut`
   * has one now: at 0 the others would get no traffic. Null otherwise.
   */
  readonly insteadOfZero: number | null
}

/**
 * Restores the weights from before the steps, except for endpoints whose weight another client has changed since.
 *
 * @param signal aborts the restore
 * @throws DiscoError with the current weights in its message, if etcd can be read
 */
export async function restoreWeights(
  registry: Registry,
  service: string,
  own: StepWeights,
  signal: AbortSignal,
): Promise<RestoreResult> {
  let leftOut: readonly Endpoint[] = []
  let insteadOfZero: number | null = null
  try {
    const restored = await changeWeights(
      registry,
      service,
      ({ endpoints }) => {
        const plan = own.restorePlan(endpoints)
        ;({ leftOut, insteadOfZero } = plan)
        return plan.weights
      },
      { signal },
    )
    return { ...restored, leftOut, insteadOfZero }
  } catch (thrown) {
    const error = signal.aborted
      ? new DiscoError('INTERRUPTED', 'Interrupted while the weights were being restored')
      : DiscoError.from(thrown)
    throw await withCurrentWeights(registry, service, own, error, thrown)
  }
}

/** Maximum number of keys with their weight in a message. */
const MAX_NAMED = 5

/** Deadline for reading the current weights, because etcd may be unreachable. */
const READ_MS = 5_000

/** The error of a failed restore, with the current weights. */
async function withCurrentWeights(
  registry: Registry,
  service: string,
  own: StepWeights,
  error: DiscoError,
  cause: unknown,
): Promise<DiscoError> {
  const now = await readCurrent(registry, service)
  const inFlight =
    error.code === 'OUTCOME_UNKNOWN' || error.code === 'INTERRUPTED'
      ? ['The last request to etcd may still take effect']
      : []
  const current = now
    ? currentText(now, own)
    : { text: 'the weights may still be those of the last step', weights: [...own.lastStep] }
  const named = current.weights.slice(0, MAX_NAMED).map(([key, weight]) => `${key} ${weight}`)
  return new DiscoError(error.code, `${error.message}: ${current.text}`, {
    cause,
    suggestions: [
      ...(named.length === 0 ? [] : [`They are: ${named.join(', ')}`]),
      ...inFlight,
      `Check the weights: disco ls ${service}`,
      ...error.suggestions,
    ],
  })
}

function currentText(
  { revision, endpoints }: { readonly revision: Revision; readonly endpoints: readonly Endpoint[] },
  own: StepWeights,
): { readonly text: string; readonly weights: readonly (readonly [key: string, weight: number])[] } {
  const usable = endpoints.filter(({ problem }) => problem === null)
  const weights = usable.map(({ key, weight }) => [key, weight] as const)
  const at = `(rev ${revision})`
  if (weights.length === 0) return { text: `no endpoint of the service is registered ${at}`, weights }
  if (own.areOriginal(usable)) return { text: `the weights are those from before the shift ${at}`, weights }
  if (own.areOfLastStep(usable)) return { text: `the weights are those of the last step ${at}`, weights }
  return {
    text: `the weights are neither those from before the shift nor those of the last step ${at}`,
    weights,
  }
}

/** The current endpoints of the service; null if etcd does not answer in time. */
async function readCurrent(registry: Registry, service: string): Promise<EndpointList | null> {
  const [late, read] = [new AbortController(), new AbortController()]
  const timeout = delay(READ_MS, undefined, { signal: read.signal }).then(
    () => late.abort(),
    () => undefined,
  )
  try {
    return await registry.list(service, { signal: late.signal })
  } catch {
    return null
  } finally {
    read.abort()
    await timeout
  }
}
