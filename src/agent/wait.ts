import { setTimeout as delay } from 'node:timers/promises'
import { type Endpoint, endpointId, type Revision } from '../domain/endpoint.js'
import { chosenOf, type EndpointFilter, formatFilter, isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { LiveSnapshot } from '../domain/live-snapshot.js'
import { endpointsOf } from '../domain/snapshot.js'
import {
  formatWaitCondition,
  judge,
  needsHealth,
  type WaitCondition,
  type WaitFacts,
} from '../domain/wait-condition.js'
import type { Registry } from '../registry/registry.js'
import { type HealthChecked, type SurveyOptions, surveyHealth } from './health/survey.js'

export interface WaitRequest {
  readonly service: string
  /** The endpoints that conditions are about. */
  readonly filter: EndpointFilter
  /** All of them must hold at the same time. */
  readonly conditions: readonly WaitCondition[]
  /** Limit of the wait. The service is checked at least once, if etcd answers. */
  readonly timeoutMs: number
  /** The settings of health checks. */
  readonly probe: SurveyOptions
}

/** State of the service when all conditions held. */
export interface Waited {
  readonly revision: Revision
  readonly facts: WaitFacts
  readonly elapsedMs: number
}

export interface WaitReports {
  /** Called with the current state, as a clause, whenever it differs from the last. */
  onState?(now: string): void
  /** Called when etcd is unreachable, or denies after the first list. The wait continues. */
  onStale?(cause: DiscoError): void
}

/** Maximum number of unhealthy servers in a message. */
const MAX_PROBLEMS = 5

/** The interval of health checks; changes of the registry arrive by a watch. */
const SURVEY_PERIOD_MS = 500

/**
 * Waits until all conditions of a service hold. It also waits for a service that does not exist yet.
 *
 * @throws DiscoError WAIT_TIMED_OUT, INTERRUPTED, ETCD_DENIED before the first list
 */
export async function waitFor(
  registry: Registry,
  request: WaitRequest,
  reports: WaitReports,
  signal: AbortSignal,
): Promise<Waited> {
  return await new Wait(registry, request, reports, signal).run()
}

class Wait {
  private readonly startMs = performance.now()
  private readonly stop = new AbortController()
  /** Ends a running health survey. */
  private readonly cut = new AbortController()
  private cutTimer: NodeJS.Timeout | undefined
  private readonly snapshot = new LiveSnapshot()
  private stale: DiscoError | null = null
  private failure: unknown = null
  private now = ''
  /** Why servers are not healthy, as of the last survey. */
  private problems: readonly string[] = []
  private isLate = false
  /** Whether a health survey has begun. */
  private isSurveying = false
  private hasChecked = false
  private wake: () => void = () => undefined

  constructor(
    private readonly registry: Registry,
    private readonly request: WaitRequest,
    private readonly reports: WaitReports,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<Waited> {
    const { timeoutMs } = this.request
    const timer = setTimeout(() => this.late(), timeoutMs)
    const halt = () => this.halt()
    this.signal.addEventListener('abort', halt)
    const following = this.follow()
    try {
      for (;;) {
        const changed = new Promise<void>((resolve) => {
          this.wake = resolve
        })
        const waited = await this.check()
        if (waited) return waited
        if (this.isOver) break
        await this.pause(changed)
      }
    } finally {
      clearTimeout(timer)
      clearTimeout(this.cutTimer)
      this.signal.removeEventListener('abort', halt)
      this.halt()
      await following
    }
    if (this.failure !== null) throw this.failure
    if (this.signal.aborted) throw new DiscoError('INTERRUPTED', 'Interrupted before the conditions held')
    throw this.timedOut()
  }

  private get isOver(): boolean {
    if (this.stop.signal.aborted || this.signal.aborted) return true
    return this.isLate && (this.hasChecked || this.stale !== null)
  }

  private async follow(): Promise<void> {
    try {
      for await (const update of this.registry.follow(this.request.service, this.stop.signal)) {
        if (update.type === 'stale') {
          this.stale = update.cause
          this.reports.onStale?.(update.cause)
        } else {
          this.stale = null
          this.snapshot.apply(update)
        }
        this.wake()
      }
    } catch (error) {
      this.failure = error
      this.halt()
    }
  }

  private async check(): Promise<Waited | null> {
    // A stale list may be wrong: only the current one counts.
    if (this.snapshot.isEmpty || this.stale) return null
    // Copies both now: the snapshot changes in place while health is checked.
    const { revision } = this.snapshot
    const endpoints = chosenOf(this.request.filter, endpointsOf(this.snapshot))
    const facts = { endpoints, ...(await this.healthOf(endpoints)) }
    if (this.stop.signal.aborted) return null
    const judged = this.request.conditions.map((condition) => judge(condition, facts))
    this.hasChecked = true
    this.report(judged.map(({ now }) => now).join(', '))
    // The survey was cut short: the health of the remaining servers is unknown.
    if (this.cut.signal.aborted) return null
    if (!judged.every(({ holds }) => holds)) return null
    return { revision, facts, elapsedMs: performance.now() - this.startMs }
  }

  private async healthOf(endpoints: WaitFacts['endpoints']): Promise<Pick<WaitFacts, 'ready' | 'healthy'>> {
    if (!this.request.conditions.some(needsHealth)) return { ready: null, healthy: null }
    this.isSurveying = true
    if (this.isLate) this.cutSoon()
    const byId = await surveyHealth(endpoints, this.request.probe, this.cut.signal)
    const checked = endpoints.map((endpoint) => byId.get(endpointId(endpoint)))
    // The end of the wait ends a survey under way, which then has few answers.
    if (!this.stop.signal.aborted) this.problems = problemsOf(endpoints, checked)
    return {
      ready: checked.filter((health) => health?.isConnected).length,
      healthy: checked.filter((health) => health?.isHealthy).length,
    }
  }

  private async pause(changed: Promise<void>): Promise<void> {
    if (!this.request.conditions.some(needsHealth)) return await changed
    await Promise.race([changed, delay(SURVEY_PERIOD_MS, undefined, { signal: this.stop.signal })]).catch(
      () => undefined,
    )
  }

  private report(now: string): void {
    if (now !== this.now) this.reports.onState?.(now)
    this.now = now
  }

  /** A running first check counts, if it takes no longer than one health check may. */
  private late(): void {
    this.isLate = true
    if (this.hasChecked) this.halt()
    else this.wake()
    if (this.isSurveying) this.cutSoon()
  }

  /** Ends a survey that began before the timeout, or with the first list after it. */
  private cutSoon(): void {
    this.cutTimer ??= setTimeout(() => this.cut.abort(), this.request.probe.deadlineMs)
  }

  private halt(): void {
    this.stop.abort()
    this.cut.abort()
    this.wake()
  }

  private timedOut(): DiscoError {
    const { service, filter, conditions, timeoutMs } = this.request
    const which = [service, ...(isUnfiltered(filter) ? [] : [formatFilter(filter)])].join(' ')
    const wanted = conditions.map(formatWaitCondition).join(', ')
    const after = timeoutMs > 0 ? ` after ${timeoutMs / 1000}s` : ''
    // While etcd is out of reach, the state of the service is unknown: the message of the cause names etcd.
    const message =
      this.stale || this.now === ''
        ? `Unknown${after} whether ${which} meets ${wanted}: ${this.stale?.message ?? 'etcd has not answered'}`
        : `${which} does not meet ${wanted}${after}: ${this.now}`
    return new DiscoError('WAIT_TIMED_OUT', message, {
      suggestions: [...this.problems.slice(0, MAX_PROBLEMS), 'More time: --timeout 2m'],
    })
  }
}

/** Why endpoints are not healthy, as clauses with their addresses. */
function problemsOf(
  endpoints: readonly Endpoint[],
  checked: readonly (HealthChecked | undefined)[],
): string[] {
  return endpoints.flatMap(({ addr, key, problem }, at) => {
    const why = problem?.text ?? checked[at]?.problem
    return typeof why === 'string' ? [`${addr || key} ${why}`] : []
  })
}
