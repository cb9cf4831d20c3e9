import { type Endpoint, endpointId } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { needsConnections } from '../../domain/wait-condition.js'
import { judge, mayHold, type WaitFacts } from '../../domain/wait-judgement.js'
import type { Registry } from '../../registry/registry.js'
import { type HealthCheckResult, surveyHealth } from '../health/survey.js'
import { ConditionTimer } from './condition-timer.js'
import { registryFacts, withHealth } from './facts.js'
import { FollowedList } from './followed-list.js'
import {
  type WaitReports,
  type WaitRequest,
  type WaitResult,
  waitConditions,
  waitSubject,
} from './request.js'

/** Maximum number of unhealthy servers in a message. */
const MAX_PROBLEMS = 5

/** Interval of health checks, and of attempts to confirm that the list is up to date. Changes of the registry arrive by a watch. */
const SURVEY_PERIOD_MS = 500

/**
 * Waits until all conditions of a service have held for `holdMs`. It also waits for a service that does not exist yet.
 *
 * @throws DiscoError WAIT_TIMED_OUT; INTERRUPTED; ETCD_DENIED if etcd denies a request before the first list
 */
export async function waitFor(
  registry: Registry,
  request: WaitRequest,
  reports: WaitReports,
  signal: AbortSignal,
): Promise<WaitResult> {
  return await new Wait(registry, request, reports, signal).run()
}

class Wait {
  private readonly startMs = performance.now()
  private readonly stop = new AbortController()
  /** Ends a running health survey. */
  private readonly cut = new AbortController()
  private cutTimer: NodeJS.Timeout | undefined
  private readonly list: FollowedList
  private readonly conditionTimer: ConditionTimer
  /** The last reported state, a clause; empty before the first check. */
  private now = ''
  /** Why servers are not healthy, as of the last survey. */
  private problems: readonly string[] = []
  /** Whether the timeout has passed. */
  private isLate = false
  /** Whether a health survey has begun. */
  private isSurveying = false
  /** Whether a check has been completed. */
  private hasChecked = false
  /** Whether the conditions held for long enough, but etcd has not confirmed yet that the list is up to date. */
  private isUnconfirmed = false
  private hasExplained = false
  private wake: () => void = () => undefined

  constructor(
    registry: Registry,
    private readonly request: WaitRequest,
    private readonly reports: WaitReports,
    private readonly signal: AbortSignal,
  ) {
    this.list = new FollowedList(registry, request.service, this.stop.signal)
    this.conditionTimer = new ConditionTimer(request.holdMs, () => performance.now())
  }

  async run(): Promise<WaitResult> {
    const timer = setTimeout(() => this.late(), this.request.timeoutMs)
    const halt = () => this.halt()
    this.signal.addEventListener('abort', halt)
    const following = this.list.follow(() => this.updated()).finally(halt)
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
    if (this.list.failure !== null) throw this.list.failure
    if (this.signal.aborted) throw new DiscoError('INTERRUPTED', 'Interrupted before the conditions held')
    throw this.timedOut()
  }

  private get isOver(): boolean {
    if (this.stop.signal.aborted || this.signal.aborted) return true
    return this.isLate && (this.hasChecked || this.list.stale !== null)
  }

  /** Examines every update, so that a break between two checks is not missed. */
  private updated(): void {
    const { stale } = this.list
    if (stale) {
      this.reports.onStale?.(stale)
      this.broken(stale.message)
    } else if (this.conditionTimer.forMs > 0) {
      const facts = registryFacts(this.list.snapshot, this.request)
      const violated = this.request.conditions.find((condition) => !mayHold(condition, facts))
      if (violated) this.broken(judge(violated, facts).now)
    }
    this.wake()
  }

  private async check(): Promise<WaitResult | null> {
    // A stale list may be wrong.
    if (!this.list.isLive) return null
    this.isUnconfirmed = false
    await this.explainNothing()
    const { breaks } = this.conditionTimer
    // Copies both now: the snapshot changes in place while health is checked.
    const { revision } = this.list.snapshot
    const facts = await this.withHealth(registryFacts(this.list.snapshot, this.request))
    if (this.stop.signal.aborted) return null
    const judged = this.request.conditions.map((condition) => judge(condition, facts))
    this.hasChecked = true
    const now = judged.map((one) => one.now).join(', ')
    this.report(now)
    // The survey was cut short: the health of the remaining servers is unknown.
    if (this.cut.signal.aborted) return null
    if (!judged.every(({ holds }) => holds)) {
      this.broken(now)
      return null
    }
    if (this.conditionTimer.forMs > 0 && !(await this.hasHeld(breaks))) return null
    return {
      revision,
      facts,
      elapsedMs: performance.now() - this.startMs,
      heldMs: this.conditionTimer.heldMs,
    }
  }

  /**
   * Called when a check has found that the conditions hold. Returns whether they have held for long enough.
   *
   * @param breaks `conditionTimer.breaks` at the start of the check
   */
  private async hasHeld(breaks: number): Promise<boolean> {
    if (this.conditionTimer.breaks !== breaks) return false
    if (this.conditionTimer.begin()) this.reports.onHold?.()
    if (this.conditionTimer.leftMs > 0) return false
    this.isUnconfirmed = true
    try {
      return (await this.list.isUpToDate()) && this.conditionTimer.breaks === breaks
    } catch (thrown) {
      if (!this.stop.signal.aborted) this.broken(DiscoError.from(thrown).message)
      return false
    }
  }

  private broken(why: string): void {
    const heldMs = this.conditionTimer.end()
    if (heldMs !== null) this.reports.onBreak?.(heldMs, why)
  }

  private async withHealth(facts: WaitFacts): Promise<WaitFacts> {
    if (!this.request.conditions.some(needsConnections)) return facts
    this.isSurveying = true
    if (this.isLate) this.cutSoon()
    const byId = await surveyHealth(facts.endpoints, this.request.probe, this.cut.signal)
    const checked = facts.endpoints.map((endpoint) => byId.get(endpointId(endpoint)))
    // The end of the wait aborts a running survey, whose results are then incomplete.
    if (!this.stop.signal.aborted) this.problems = problemsOf(facts.endpoints, checked)
    return withHealth(facts, byId)
  }

  private async pause(changed: Promise<void>): Promise<void> {
    const isPolling = this.isUnconfirmed || this.request.conditions.some(needsConnections)
    const untilHeldMs =
      this.conditionTimer.isRunning && !this.isUnconfirmed
        ? this.conditionTimer.leftMs
        : Number.POSITIVE_INFINITY
    const pauseMs = Math.min(untilHeldMs, isPolling ? SURVEY_PERIOD_MS : Number.POSITIVE_INFINITY)
    const timer = Number.isFinite(pauseMs) ? setTimeout(() => this.wake(), pauseMs) : undefined
    await changed
    clearTimeout(timer)
  }

  private report(now: string): void {
    if (now !== this.now) this.reports.onState?.(now)
    this.now = now
  }

  /** Reports before the first check why no endpoint is selected. */
  private async explainNothing(): Promise<void> {
    if (this.hasExplained) return
    this.hasExplained = true
    const nothing = await this.list.whyNothing(this.request.filter)
    if (nothing && !this.stop.signal.aborted) this.reports.onNothing?.(nothing)
  }

  /** Called at the timeout. A first check may still complete: its health survey has `probe.deadlineMs` left. */
  private late(): void {
    this.isLate = true
    if (this.hasChecked) this.halt()
    else this.wake()
    if (this.isSurveying) this.cutSoon()
  }

  /** Lets a running health survey go on for `probe.deadlineMs`, then aborts it. */
  private cutSoon(): void {
    this.cutTimer ??= setTimeout(() => this.cut.abort(), this.request.probe.deadlineMs)
  }

  private halt(): void {
    this.stop.abort()
    this.cut.abort()
    this.wake()
  }

  private timedOut(): DiscoError {
    const { timeoutMs } = this.request
    const which = waitSubject(this.request)
    const wanted = waitConditions(this.request)
    const after = timeoutMs > 0 ? ` after ${timeoutMs / 1000}s` : ''
    return new DiscoError('WAIT_TIMED_OUT', this.timeoutText(which, wanted, after), {
      suggestions: [...this.problems.slice(0, MAX_PROBLEMS), 'More time: --timeout 2m'],
    })
  }

  private timeoutText(which: string, wanted: string, after: string): string {
    const { stale } = this.list
    // While etcd is unreachable, the state of the service is unknown.
    if (stale || this.now === '') {
      return `Unknown${after} whether ${which} meets ${wanted}: ${stale?.message ?? 'etcd has not answered'}`
    }
    const held = this.conditionTimer.isRunning
      ? `, so far for ${Math.floor(this.conditionTimer.heldMs / 100) / 10}s`
      : ''
    return `${which} does not meet ${wanted}${after}: ${this.now}${held}`
  }
}

/** Why endpoints are not healthy, as clauses with their addresses. */
function problemsOf(
  endpoints: readonly Endpoint[],
  checked: readonly (HealthCheckResult | undefined)[],
): string[] {
  return endpoints.flatMap(({ addr, key, problem }, at) => {
    const why = problem?.text ?? checked[at]?.problem
    return typeof why === 'string' ? [`${addr || key} ${why}`] : []
  })
}
