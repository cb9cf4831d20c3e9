import type { Chooser, Policy } from '../../policies/index.js'
import type { RegisteredEndpoint } from '../resolver/endpoint.js'
import type { RotationChange } from '../resolver/observer.js'
import { Level } from './level.js'
import type { Member } from './member.js'
import type { Rotation } from './rotation.js'

/**
 * How long calls wait for the priority in use to reconnect, or for the best one to connect at the start, before the
 * next priority is used. gRFC A56 waits 10 s because the next one must then connect; here it is connected already.
 */
export const FAILOVER_MS = 1_000

/**
 * The members of each priority, and the one priority that calls go to: the best that has a READY member. The rule is
 * that of the priority policy of gRFC A56:
 * - a better priority is used as soon as one of its members is READY;
 * - the one in use is left when all its members fail, or when none has become READY within {@link FAILOVER_MS};
 * - members that reconnect at once, as after a GOAWAY, therefore cause no spill-over.
 *
 * Unlike in A56, members of all priorities are connected, like drained ones. So calls do not wait for a connection
 * after a spill-over, and the failure of a data centre does not make all clients connect to the other one.
 *
 * With one priority and one registry it adds nothing to a pick: `chooser` is the rotation's own.
 */
export class Priorities<One extends Member> {
  /** The chooser of picks; another object after a spill-over. Valid after `settle`. */
  chooser: Pick<Chooser<One>, 'choose'> = { choose: () => null }
  /** Best priority first. */
  private levels: readonly Level<One>[] = []
  private current: Level<One> | null = null
  /** The level in use at the last `takeChanges`. */
  private reported: Level<One> | null = null
  private timer: NodeJS.Timeout | null = null
  private isPatienceOver = false
  /** The rotation of all members, while there is only one. */
  private only: Rotation<One> | null = null

  /** @param onDue called when a spill-over may be due; calls `settle` */
  constructor(
    readonly policy: Policy,
    private readonly onDue: () => void,
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

  /** The member's outstanding calls have changed. Called at least twice for every call, so it must be fast. */
  recount(member: One): void {
    const rotation = this.only ?? this.levelOf(member).rotationOf(member)
    rotation.recount(member)
  }

  /** The member's names have changed. */
  rename(member: One): void {
    this.levelOf(member).rotationOf(member).chooser.rename?.(member)
  }

  /** Chooses the priority in use, after changes of members. @returns whether picks have another chooser now */
  settle(): boolean {
    const [first, second] = this.levels
    this.only = second === undefined ? (first?.only ?? null) : null
    const next = this.choose()
    if (next !== this.current) this.endPatience()
    this.current = next
    if (next && second !== undefined) this.wait(next)
    const chooser = next?.chooser ?? this.chooser
    const isNew = chooser !== this.chooser
    this.chooser = chooser
    return isNew
  }

  /** The changes since the last call; null for none. @param wantsShares as for `Level.takeChanges` */
  takeChanges(wantsShares: boolean): readonly RotationChange[] | null {
    if (this.only) {
      this.reported = this.current
      return this.only.takeChanges()
    }
    const { current, reported } = this
    this.reported = current
    const changes = this.levels.flatMap((level) => {
      const own = level.takeChanges(wantsShares)
      if (level !== current) return own.map(inReserve)
      return current === reported ? own : [...own.filter(({ weight }) => weight === 0), ...level.all()]
    })
    const left = reported && reported !== current ? reported.all().map(inReserve) : []
    return changes.length + left.length === 0 ? null : [...left, ...changes]
  }

  /** All members that calls may go to, with the weights that the policy uses. */
  all(): Map<RegisteredEndpoint, number> {
    return new Map((this.current?.all() ?? []).map(({ endpoint, weight }) => [endpoint, weight]))
  }

  close(): void {
    this.endPatience()
  }

  private choose(): Level<One> | null {
    const from = this.current ?? this.levels[0] ?? null
    if (from === null || this.levels.length === 1) return from
    const ready = this.levels.find(({ size }) => size > 0)
    if (ready && ready.priority <= from.priority) return ready
    if (from.census.mayBecomeReady && !this.isPatienceOver) return from
    return ready ?? this.levels.find(({ census }) => census.mayBecomeReady) ?? from
  }

  /** Starts the wait for a level that is connecting, or continues it; ends it if the level is READY or has failed. */
  private wait(level: Level<One>): void {
    const isWaiting = level.size === 0 && level.census.mayBecomeReady
    if (!isWaiting) this.endPatience()
    else if (!this.isPatienceOver) {
      this.timer ??= setTimeout(() => {
        this.isPatienceOver = true
        this.onDue()
      }, FAILOVER_MS)
    }
  }

  /** Cancels the wait for the level in use. */
  private endPatience(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.isPatienceOver = false
  }

  private levelOf({ endpoint: { registration } }: One): Level<One> {
    // A call may be pinned to an endpoint of any priority.
    const priority = this.policy.reads.includes('pin') ? 0 : (registration.origin?.priority ?? 0)
    const known = this.levels.find((level) => level.priority === priority)
    if (known) return known
    const level = new Level<One>(this.policy, priority)
    this.levels = [...this.levels, level].sort((a, b) => a.priority - b.priority)
    this.only = null
    return level
  }
}

/** A change of a member that calls do not go to: it keeps its place in its rotation. */
function inReserve({ endpoint, weight, isAway }: RotationChange): RotationChange {
  return { endpoint, weight: 0, isAway: isAway || weight > 0 }
}
