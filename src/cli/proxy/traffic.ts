import type { Rng } from '../../domain/rng.js'
import type { ShareRule } from '../../domain/shares.js'
import { status } from '../../grpc/protocol.js'
import type { Observer, RotationChange } from '../../grpc/resolver/observer.js'
import type { CallEnd } from '../../proxy/call.js'
import { LatencyHistogram, type LatencySummary } from '../../stats/latency.js'
import type { Tallies } from '../../stats/scope.js'
import { ShareLedger } from '../../stats/share-ledger.js'
import { judge, type Verdict } from '../../stats/verdict.js'

/**
 * The counting starts again when there are this many more endpoints that have left than endpoints in rotation. A proxy
 * runs for months, in which many servers come and go.
 */
const MAX_LEAVERS = 200

/** The fraction of the time that judging may take: calls wait while very many endpoints are judged. */
const JUDGING_FRACTION = 0.01
const JUDGING_PERIOD_MS = 500

/** The name of an endpoint that has left. */
export interface Leaver {
  readonly addr: string
  /** Undefined unless there are several registries. */
  readonly registry: string | undefined
}

/**
 * Counts the picks of one target against the shares in force when they were made. When too many endpoints have left,
 * the counting starts again.
 */
export class TargetTraffic {
  /** When the counting started. */
  since: Date
  private ledger = new ShareLedger()
  private latencies = new LatencyHistogram()
  private failures = new Map<string, Record<string, number>>()
  /** Endpoints that have left, by id. */
  private readonly leavers = new Map<string, Leaver>()
  /**
   * Weights of the endpoints in rotation, by id: `own` is the weight in the policy, `share` the weight to compare with
   * those of all registries, see `RotationChange.shareWeight`.
   */
  private readonly weights = new Map<string, { readonly own: number; readonly share: number }>()
  private readonly away = new Set<string>()
  private judged: { readonly verdict: Verdict; readonly calls: number } | null = null
  private nextJudgementMs = 0

  /**
   * @param rule how exactly the policy keeps its shares
   * @param now returns the current time
   * @param rng returns the random numbers for a verdict
   */
  constructor(
    private readonly rule: ShareRule,
    private readonly now: () => Date,
    private readonly rng: () => Rng,
  ) {
    this.since = now()
  }

  /** Number of picks. A call that is sent again has several. */
  calls = 0

  readonly observer: Required<Pick<Observer, 'rotated' | 'picked'>> = {
    rotated: (changes) => this.rotated(changes),
    picked: ({ id }) => {
      this.calls++
      this.ledger.pick(id)
    },
  }

  ended({ upstream, code, endedBy, tookMs }: CallEnd): void {
    this.latencies.record(tookMs)
    if (!upstream || code === status.OK || endedBy !== 'endpoint') return
    const { id } = upstream.endpoint
    const failures = this.failures.get(id) ?? {}
    const name = status[code] ?? String(code)
    failures[name] = (failures[name] ?? 0) + 1
    this.failures.set(id, failures)
  }

  get latency(): LatencySummary {
    return this.latencies.summary()
  }

  get tallies(): Tallies {
    return this.ledger.tallies()
  }

  /** Failed calls by the name of their status. */
  failuresOf(id: string): Readonly<Record<string, number>> {
    return this.failures.get(id) ?? {}
  }

  /** The name of an endpoint that has left; undefined for any other endpoint. */
  leaver(id: string): Leaver | undefined {
    return this.leavers.get(id)
  }

  /** The verdict on the picks so far. It is computed at most once in `JUDGING_PERIOD_MS`. */
  verdict(): Verdict {
    const startedMs = performance.now()
    if (this.judged && (this.judged.calls === this.calls || startedMs < this.nextJudgementMs)) {
      return this.judged.verdict
    }
    const verdict = judge(this.ledger, this.rule, this.rng())
    const endedMs = performance.now()
    this.nextJudgementMs = endedMs + Math.max(JUDGING_PERIOD_MS, (endedMs - startedMs) / JUDGING_FRACTION)
    this.judged = { verdict, calls: this.calls }
    return verdict
  }

  private rotated(changes: readonly RotationChange[]): void {
    const registered = new Map<string, number>()
    const reconnected = new Map<string, number>()
    /** Endpoints whose share changed only because of other endpoints. */
    const rebalanced = new Map<string, number>()
    for (const change of changes) {
      const { endpoint, weight, shareWeight: share = weight, isAway } = change
      const { id } = endpoint
      const before = this.weights.get(id)
      const isReconnect = isAway || (weight > 0 && this.away.has(id))
      const isStanding = !isReconnect && weight > 0 && before?.own === weight
      this.follow(change)
      if (isStanding && before.share === share) continue
      const kind = isStanding ? rebalanced : isReconnect ? reconnected : registered
      kind.set(id, weight > 0 ? share : 0)
    }
    const cause = registered.size > 0 || reconnected.size === 0 ? registered : reconnected
    for (const [id, share] of rebalanced) cause.set(id, share)
    if (registered.size > 0) this.ledger.change(registered)
    if (reconnected.size > 0) this.ledger.reconnect(reconnected)
    if (this.leavers.size > MAX_LEAVERS + this.weights.size) this.restart()
  }

  private follow({ endpoint, weight, shareWeight: share = weight, isAway }: RotationChange): void {
    const { id, registration } = endpoint
    if (isAway) this.away.add(id)
    else this.away.delete(id)
    if (weight > 0) this.weights.set(id, { own: weight, share })
    else this.weights.delete(id)
    if (weight > 0 || isAway) this.leavers.delete(id)
    else this.leavers.set(id, { addr: registration.addr, registry: registration.origin?.registry })
  }

  private restart(): void {
    this.since = this.now()
    this.calls = 0
    this.ledger = new ShareLedger()
    this.ledger.change(new Map([...this.weights].map(([id, { share }]) => [id, share])))
    this.latencies = new LatencyHistogram()
    this.failures = new Map()
    this.leavers.clear()
    this.judged = null
  }
}
