import type { Chooser, Policy } from '../../policies/index.js'
import type { RegisteredEndpoint } from '../resolver/endpoint.js'
import type { RotationChange } from '../resolver/observer.js'
import { Level } from './level.js'
import type { Member } from './member.js'
import type { Rotation } from './rotation.js'

/**
 * How long calls wait for the priority in use to reconnect, or for the best priority to connect at the start, before
 * the next priority is used. gRFC A56 waits 10 s, because the next priority must then connect. Here it is already
 * connected.
 */
export const FAILOVER_MS = 1_000

/**
 * The members of each priority. Calls go to one priority at a time: the best that has a READY member. The rules are
 * those of the priority policy of gRFC A56:
 * - A better priority is used as soon as one of its members is READY.
 * - The priority in use is replaced when all its members fail, or when none has become READY within
 *   {@link FAILOVER_MS}. Members that reconnect at once, as after a GOAWAY, therefore do not cause a failover.
 *
 * Unlike in A56, the members of all priorities are connected. So calls do not wait for a connection after a failover,
 * and the failure of a data centre does not make all clients connect to another data centre at the same time.
 *
 * With one priority and one registry, a pick costs nothing extra: `chooser` is the chooser of the only rotation.
 */
export class Priorities<One extends Member> {
  /** The chooser that picks use. Replaced at a failover, and when the chooser of the level in use is. Valid after `settle`. */
  chooser: Pick<Chooser<One>, 'choose'> = { choose: () => null }
  /** Best priority (lowest number) first. */
  private levels: readonly Level<One>[] = []
  /** The level in use; null before the first member. */
  private current: Level<One> | null = null
  /** The level in use at the last `takeChanges`. */
  private reported: Level<One> | null = null
  private timer: NodeJS.Timeout | null = null
  /** Whether the priority in use has had no READY member for FAILOVER_MS. */
  private isFailoverDue = false
  /** The rotation of all members; null if there is more than one rotation. */
  private only: Rotation<One> | null = null

  /** @param onFailoverDue called when FAILOVER_MS has passed; must call `settle` */
  constructor(
    readonly policy: Policy,
    private readonly onFailoverDue: () => void,
  ) {}

  /** The number of members that calls may go to. */
  get size(): number {
    return this.only ? this.only.size : (this.current?.size ?? 0)
  }

  place(member: One): void {
    this.levelOf(member).place(member)
  }

  remove(member: One): void {
    this.levelOf(member).remove(member)
  }

  /** Call after a member's outstanding calls have changed. Called at least twice for every call, so it must be fast. */
  recount(member: One): void {
    const rotation = this.only ?? this.levelOf(member).rotationOf(member)
    rotation.recount(member)
  }

  /** Call after a member's names have changed. */
  rename(member: One): void {
    this.levelOf(member).rotationOf(member).chooser.rename?.(member)
  }

  /** Chooses the priority in use, after members have changed. @returns whether `chooser` was replaced */
  settle(): boolean {
    const [first, second] = this.levels
    this.only = second === undefined ? (first?.only ?? null) : null
    const next = this.choose()
    if (next !== this.current) this.cancelFailover()
    this.current = next
    if (next && second !== undefined) this.scheduleFailover(next)
    const chooser = next?.chooser ?? this.chooser
    const isNew = chooser !== this.chooser
    this.chooser = chooser
    return isNew
  }

  /** The changes since the last call; null if there are none. @param wantsShares as for `Level.takeChanges` */
  takeChanges(wantsShares: boolean): readonly RotationChange[] | null {
    if (this.only) {
      this.reported = this.current
      return this.only.takeChanges()
    }
    const { current, reported } = this
    this.reported = current
    const changes = this.levels.flatMap((level) => {
      const changed = level.takeChanges(wantsShares)
      if (level !== current) return changed.map(inReserve)
      return current === reported
        ? changed
        : [...changed.filter(({ weight }) => weight === 0), ...level.all()]
    })
    const replaced = reported && reported !== current ? reported.all().map(inReserve) : []
    return changes.length + replaced.length === 0 ? null : [...replaced, ...changes]
  }

  /** All members that calls may go to, with the weights that the policy uses. */
  all(): Map<RegisteredEndpoint, number> {
    return new Map((this.current?.all() ?? []).map(({ endpoint, weight }) => [endpoint, weight]))
  }

  close(): void {
    this.cancelFailover()
  }

  private choose(): Level<One> | null {
    const from = this.current ?? this.levels[0] ?? null
    if (from === null || this.levels.length === 1) return from
    const ready = this.levels.find(({ size }) => size > 0)
    if (ready && ready.priority <= from.priority) return ready
    if (from.stateCounts.mayBecomeReady && !this.isFailoverDue) return from
    return ready ?? this.levels.find(({ stateCounts }) => stateCounts.mayBecomeReady) ?? from
  }

  /** Starts or continues the failover timer while the level in use is connecting. Otherwise cancels the timer. */
  private scheduleFailover(level: Level<One>): void {
    const isConnecting = level.size === 0 && level.stateCounts.mayBecomeReady
    if (!isConnecting) this.cancelFailover()
    else if (!this.isFailoverDue) {
      this.timer ??= setTimeout(() => {
        this.isFailoverDue = true
        this.onFailoverDue()
      }, FAILOVER_MS)
    }
  }

  private cancelFailover(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.isFailoverDue = false
  }

  private levelOf({ endpoint: { registration } }: One): Level<One> {
    // A policy that reads the pin needs all members in one level, because a pin may name an endpoint of any priority.
    const priority = this.policy.reads.includes('pin') ? 0 : (registration.origin?.priority ?? 0)
    const known = this.levels.find((level) => level.priority === priority)
    if (known) return known
    const level = new Level<One>(this.policy, priority)
    this.levels = [...this.levels, level].sort((a, b) => a.priority - b.priority)
    this.only = null
    return level
  }
}

/** The change as reported for a priority that is not in use: weight 0, but the rotation keeps the member's place. */
function inReserve({ endpoint, weight, isAway }: RotationChange): RotationChange {
  return { endpoint, weight: 0, isAway: isAway || weight > 0 }
}
