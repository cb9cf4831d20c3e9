import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EndpointList } from '../registry/listing.js'
import type { Registry } from '../registry/registry.js'
import { changeWeights, type Shifted } from '../registry/shift/shift.js'
import type { OwnWeights } from './own-weights.js'

/** The way back from steps. */
export interface Restored extends Shifted {
  /** Endpoints that keep another weight: others have set it, or they registered since. */
  readonly leftOut: readonly Endpoint[]
  /**
   * The service had no weights before, and an endpoint that is left out has one: all others have this one instead of
   * 0, so that they keep their traffic. Null otherwise.
   */
  readonly insteadOfZero: number | null
}

/**
 * Restores the weights from before the steps, but of endpoints whose weight another client has changed since.
 *
 * @param signal ends it
 * @throws DiscoError that says which weights stand, as far as etcd can be read
 */
export async function restoreWeights(
  registry: Registry,
  service: string,
  own: OwnWeights,
  signal: AbortSignal,
): Promise<Restored> {
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
      ? new DiscoError('INTERRUPTED', 'Interrupted on the way back')
      : DiscoError.from(thrown)
    throw await withCurrentWeights(registry, service, own, error, thrown)
  }
}

/** Maximum number of keys with their weight in a message. */
const MAX_NAMED = 5

/** How long it tries to see what stands: etcd may be away. */
const READ_MS = 5_000

/** The error of a way back that failed, with the weights that stand now. */
async function withCurrentWeights(
  registry: Registry,
  service: string,
  own: OwnWeights,
  error: DiscoError,
  cause: unknown,
): Promise<DiscoError> {
  const now = await readCurrent(registry, service)
  const inFlight =
    error.code === 'OUTCOME_UNKNOWN' || error.code === 'INTERRUPTED'
      ? ['What was sent to etcd may still be carried out']
      : []
  const current = now
    ? currentText(now, own)
    : { text: 'the weights of the last step may stand', weights: [...own.lastStep] }
  const named = current.weights.slice(0, MAX_NAMED).map(([key, weight]) => `${key} ${weight}`)
  return new DiscoError(error.code, `${error.message}: ${current.text}`, {
    cause,
    suggestions: [
      ...(named.length === 0 ? [] : [`They are: ${named.join(', ')}`]),
      ...inFlight,
      `See what stands: disco ls ${service}`,
      ...error.suggestions,
    ],
  })
}

function currentText(
  { revision, endpoints }: { readonly revision: Revision; readonly endpoints: readonly Endpoint[] },
  own: OwnWeights,
): { readonly text: string; readonly weights: readonly (readonly [key: string, weight: number])[] } {
  const usable = endpoints.filter(({ problem }) => problem === null)
  const weights = usable.map(({ key, weight }) => [key, weight] as const)
  const at = `(rev ${revision})`
  if (weights.length === 0) return { text: `no endpoint of the service stands ${at}`, weights }
  if (own.areOriginal(usable)) return { text: `the weights from before the shift stand ${at}`, weights }
  if (own.areOfLastStep(usable)) return { text: `the weights of the last step stand ${at}`, weights }
  return { text: `neither the weights from before nor those of the last step stand ${at}`, weights }
}

/** The service as it stands; null where etcd does not say so in time. */
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
