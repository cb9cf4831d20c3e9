/** A call that starts so much later than it was due makes the latencies about waiting, not about the service. */
const LATE_MS = 250

/** From this part of the time on, the event loop has nothing left to give: it is the client that cannot do more. */
const BUSY_FRACTION = 0.9

/** What was saturated, and the throughput reached while due calls had to wait. */
export interface Saturation {
  readonly by: 'client' | 'backends'
  /** Calls that ended in a second. */
  readonly perSecond: number
  /** Of a core: user and system time of this process; above 1 where V8's and libuv's own threads work, too. */
  readonly cpuFraction: number
  /** Part of the time in which the event loop was not waiting for input. */
  readonly loopFraction: number
}

/** What came of the starts of a run's calls. */
export interface Starts {
  /** Calls that the load asked for until it ended or was stopped. */
  readonly due: number
  readonly started: number
  /** `due` less `started`. */
  readonly notStarted: number
  /** Started, and neither ended nor cancelled when the report was made: only after an interruption. */
  readonly unfinished: number
  /** The most calls under way that were allowed. */
  readonly limit: number
  /** How late the latest call to be started was; 0 in a closed loop, where none is due. */
  readonly maxLateMs: number
  /** Null where every call that was due was started, and none noticeably late. */
  readonly saturation: Saturation | null
}

/** Cumulative times of this process. */
interface Usage {
  readonly wallMs: number
  readonly cpuMs: number
  /** What the event loop was not waiting for input. */
  readonly loopMs: number
  readonly ended: number
}

/** Counts a run's starts, and measures what this process does while calls that are due have to wait. */
export class Pace {
  /** Calls that the load asked for so far. */
  due = 0
  private started = 0
  private ended = 0
  private maxLateMs = 0
  private behindSince: Usage | null = null
  private behind: Usage = { wallMs: 0, cpuMs: 0, loopMs: 0, ended: 0 }

  get underWay(): number {
    return this.started - this.ended
  }

  start(lateMs: number): void {
    this.started++
    if (lateMs > this.maxLateMs) this.maxLateMs = lateMs
  }

  end(): void {
    this.ended++
  }

  /** Records whether a due call has to wait; called at each start and each poll. */
  isBehind(isBehind: boolean): void {
    if (isBehind === (this.behindSince !== null)) return
    const usage = this.usage()
    if (this.behindSince) this.behind = sum(this.behind, difference(usage, this.behindSince))
    this.behindSince = isBehind ? usage : null
  }

  /** @param limit the most calls under way that were allowed */
  starts(limit: number): Starts {
    const { due, started, maxLateMs } = this
    const notStarted = Math.max(0, due - started)
    const isLate = notStarted > 0 || maxLateMs >= LATE_MS
    return {
      ...{ due, started, notStarted, unfinished: this.underWay, limit, maxLateMs },
      saturation: isLate && this.behind.wallMs > 0 ? saturation(this.behind) : null,
    }
  }

  private usage(): Usage {
    const { user, system } = process.cpuUsage()
    return {
      wallMs: performance.now(),
      cpuMs: (user + system) / 1000,
      loopMs: performance.eventLoopUtilization().active,
      ended: this.ended,
    }
  }
}

function saturation({ wallMs, cpuMs, loopMs, ended }: Usage): Saturation {
  const loopFraction = Math.min(1, loopMs / wallMs)
  return {
    by: loopFraction >= BUSY_FRACTION ? 'client' : 'backends',
    perSecond: (ended * 1000) / wallMs,
    cpuFraction: cpuMs / wallMs,
    loopFraction,
  }
}

function difference(later: Usage, earlier: Usage): Usage {
  return {
    wallMs: later.wallMs - earlier.wallMs,
    cpuMs: later.cpuMs - earlier.cpuMs,
    loopMs: later.loopMs - earlier.loopMs,
    ended: later.ended - earlier.ended,
  }
}

function sum(one: Usage, other: Usage): Usage {
  return {
    wallMs: one.wallMs + other.wallMs,
    cpuMs: one.cpuMs + other.cpuMs,
    loopMs: one.loopMs + other.loopMs,
    ended: one.ended + other.ended,
  }
}
