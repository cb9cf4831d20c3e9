import { setTimeout as delay } from 'node:timers/promises'
import { type Endpoint, type EndpointId, endpointId } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { apply, EMPTY_SNAPSHOT, endpointsOf } from '../../domain/snapshot.js'
import type { Registry } from '../../registry/registry.js'
import { type HealthChecked, type SurveyOptions, surveyHealth } from './survey.js'

/** What an endpoint's health was found to be; null for one that is no longer registered. */
export interface HealthSeen {
  readonly endpoint: Endpoint
  readonly checked: HealthChecked | null
}

/** Everybody is asked this often. */
const PERIOD_MS = 1_000

/**
 * Asks every endpoint of a service again and again, and tells what differs from what was told before: each
 * endpoint once at first. The list is etcd's, as it changes; where etcd is away, the last one.
 *
 * @param onEtcd called when etcd goes out of reach, or denies, with the cause; and with null when it answers again
 * @throws DiscoError ETCD_DENIED or ETCD_UNREACHABLE before the first list
 */
export async function* followHealth(
  registry: Registry,
  service: string,
  options: SurveyOptions,
  onEtcd: (outage: DiscoError | null) => void,
  signal: AbortSignal,
): AsyncGenerator<HealthSeen, void, void> {
  const told = new Map<EndpointId, { endpoint: Endpoint; said: string }>()
  const list = new FollowedList(registry, service, onEtcd, signal)
  for (;;) {
    const endpoints = await list.next()
    if (!endpoints) return
    const byAddr = await surveyHealth(endpoints, options, signal)
    const gone = new Map(told)
    for (const endpoint of endpoints) {
      const id = endpointId(endpoint)
      gone.delete(id)
      const checked = endpoint.problem === null ? byAddr.get(endpoint.addr) : NOT_DIALLED
      if (!checked || signal.aborted) continue
      const said = `${checked.isHealthy} ${checked.status} ${checked.problem}`
      if (told.get(id)?.said === said) continue
      told.set(id, { endpoint, said })
      yield { endpoint, checked }
    }
    for (const [id, { endpoint }] of gone) {
      told.delete(id)
      yield { endpoint, checked: null }
    }
  }
}

const NOT_DIALLED: HealthChecked = {
  isConnected: false,
  isHealthy: false,
  isRefused: false,
  status: null,
  problem: null,
  latencyMs: 0,
}

/** A service's endpoints as etcd tells them, to be looked at once a period. */
class FollowedList {
  private endpoints: readonly Endpoint[] | null = null
  private failure: unknown = null
  private isOver = false
  private hasBegun: () => void = () => undefined
  private readonly begun: Promise<void>
  private isFirst = true

  constructor(
    registry: Registry,
    service: string,
    onEtcd: (outage: DiscoError | null) => void,
    private readonly signal: AbortSignal,
  ) {
    this.begun = new Promise((resolve) => {
      this.hasBegun = resolve
    })
    void this.follow(registry, service, onEtcd)
  }

  /** The list a period after the last time; null at the end. @throws DiscoError */
  async next(): Promise<readonly Endpoint[] | null> {
    await this.begun
    if (!this.isFirst) await delay(PERIOD_MS, undefined, { signal: this.signal }).catch(() => undefined)
    this.isFirst = false
    if (this.failure !== null) throw this.failure
    return this.isOver || this.signal.aborted ? null : (this.endpoints ?? [])
  }

  private async follow(
    registry: Registry,
    service: string,
    onEtcd: (outage: DiscoError | null) => void,
  ): Promise<void> {
    let snapshot = EMPTY_SNAPSHOT
    let isStale = false
    try {
      for await (const update of registry.follow(service, this.signal)) {
        if (update.type === 'stale') {
          if (this.endpoints === null) throw update.cause
          onEtcd(update.cause)
          isStale = true
          continue
        }
        if (isStale) onEtcd(null)
        isStale = false
        snapshot = apply(snapshot, update)
        this.endpoints = endpointsOf(snapshot)
        this.hasBegun()
      }
    } catch (error) {
      this.failure = error
    }
    this.isOver = true
    this.hasBegun()
  }
}
