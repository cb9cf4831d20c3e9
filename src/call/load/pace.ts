/** A call that starts this late has a latency that measures mostly its wait, not the service. */
const LATE_MS = 250

/** An event loop that is busy for this part of the time is saturated: the client itself is the limit. */
const BUSY_FRACTION = 0.9

/** What limited the throughput, and the throughput reached while due calls had to wait. */
export interface Saturation {
  readonly by: 'client' | 'backends' | 'reader'
  /** Calls that ended per second. */
  readonly perSecond: number
  /** User and system time of this process per wall time; above 1 if threads of V8 and libuv work as well. */
  readonly cpuFraction: number
  /** The part of the time in which the event loop was not waiting for input. */
  readonly loopFraction: number
}

/** The starts of a run's calls. */
export interface Starts {
  /** Calls due until the load ended or was stopped. */
  readonly due: number
  readonly started: number
  /** `due` minus `started`. */
  readonly notStarted: number
  /** Started, but neither ended nor cancelled when the report was made. Above 0 only after an interruption. */
  readonly unfinished: number
  /** The limit of outstanding calls. */
  readonly limit: number
  /** The largest delay of a start; 0 in a closed loop, where calls are never due. */
  readonly maxLateMs: number
  /** How long no call was started because the reader of the output lines did not read. */
  readonly readerMs: number
  /** Null if all due calls were started, none of them noticeably late. */
  readonly saturation: Saturation | null
}

/** Cumulative times of this process. */
interface Usage {
  readonly wallMs: number
  readonly cpuMs: number
  /** Time in which the event loop was not waiting for input. */
  readonly loopMs: number
  readonly ended: number
}

const NO_USAGE: Usage = { wallMs: 0, cpuMs: 0, loopMs: 0, ended: 0 }

/** Counts a run's starts, and measures this process while due calls have to wait. */
export class Pace {
  /** Calls due so far. */
  due = 0
  private started = 0
  private ended = 0
  private maxLateMs = 0
  private readerMs = 0
  private waitingFor: 'turn' | 'reader' | null = null
  private waitingSince: Usage = NO_USAGE
  /** Usage while due calls had to wait. */
  private behind: Usage = NO_USAGE

  /** Number of outstanding calls. */
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

  /**
   * Records what the next due call waits for: its turn, or the reader; null if no due call waits. Called at each start
   * and each poll.
   */
  waitsFor(what: 'turn' | 'reader' | null): void {
    if (what === this.waitingFor) return
    const usage = this.usage()
    if (this.waitingFor !== null) {
      const waited = difference(usage, this.waitingSince)
      this.behind = sum(this.behind, waited)
      if (this.waitingFor === 'reader') this.readerMs += waited.wallMs
    }
    this.waitingFor = what
    this.waitingSince = usage
  }

  /** @param limit the limit of outstanding calls */
  starts(limit: number): Starts {
    const { due, started, maxLateMs, readerMs } = this
    const notStarted = Math.max(0, due - started)
    const isLate = notStarted > 0 || maxLateMs >= LATE_MS
    return {
      due,
      started,
      notStarted,
      unfinished: this.underWay,
      limit,
      maxLateMs,
      readerMs,
      saturation: isLate && this.behind.wallMs > 0 ? saturation(this.behind, readerMs) : null,
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

function saturation({ wallMs, cpuMs, loopMs, ended }: Usage, readerMs: number): Saturation {
  const loopFraction = Math.min(1, loopMs / wallMs)
  const byBusyLoop = loopFraction >= BUSY_FRACTION ? 'client' : 'backends'
  return {
    by: readerMs >= wallMs / 2 ? 'reader' : byBusyLoop,
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
