/** Latencies in milliseconds. A percentile is null if too few calls were made for it. */
export interface LatencySummary {
  readonly n: number
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly max: number | null
}

/** Calls with a latency above `fromMs` and at most `toMs`. */
export interface LatencyBand {
  readonly fromMs: number
  readonly toMs: number
  readonly calls: number
}

/** 1,024 buckets per octave: a bucket is at most 0.1 % wide, three significant digits as in HdrHistogram. */
const BITS = 10
const SLOTS = 1 << BITS
/** 71 minutes in microseconds; longer latencies count as this, except for the maximum. */
const MAX_US = 2 ** 32 - 1

/**
 * This many latencies are kept individually: the first octave takes as much memory as 500 of them, and most endpoints
 * of a large service are called only a few times.
 */
const FEW = 64

/** Upper ends of the bands: 0.01, 0.02, 0.05, 0.1, … The last one is above all buckets. */
const BAND_ENDS_MS = [-2, -1, 0, 1, 2, 3, 4, 5, 6].flatMap((power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power}`)),
)

/**
 * A high dynamic range histogram (Tene, HdrHistogram): buckets of one microsecond up to 2 ms, and above that of 0.1 %
 * of their value. Its memory depends on the spread of the latencies and not on their number: 4 KiB for each octave in
 * use, and less than 1 KiB for up to 64 latencies.
 */
export class LatencyHistogram {
  private readonly octaves: (Uint32Array | undefined)[] = []
  /** Microseconds, in the order of the calls; null once they have moved into `octaves`. */
  private few: number[] | null = []
  private count = 0
  private maxMs = 0

  static of(latenciesMs: Iterable<number>): LatencyHistogram {
    const histogram = new LatencyHistogram()
    for (const ms of latenciesMs) histogram.record(ms)
    return histogram
  }

  record(ms: number): void {
    this.place(Math.min(MAX_US, Math.max(0, Math.round(ms * 1000))))
    this.count++
    if (ms > this.maxMs) this.maxMs = ms
  }

  add(other: LatencyHistogram): void {
    if (other.few) for (const us of other.few) this.place(us)
    else this.spill()
    for (const [octave, theirs] of other.octaves.entries()) {
      if (!theirs) continue
      const own = this.octaves[octave] ?? this.open(octave)
      for (const [slot, calls] of theirs.entries()) own[slot] = (own[slot] ?? 0) + calls
    }
    this.count += other.count
    this.maxMs = Math.max(this.maxMs, other.maxMs)
  }

  /**
   * A percentile is null unless at least one call is beyond it on average: it takes 2 calls for p50, 20 for p95, 100
   * for p99.
   */
  summary(): LatencySummary {
    const [p50 = null, p95 = null, p99 = null] = this.percentiles([50, 95, 99])
    return { n: this.count, p50, p95, p99, max: this.count === 0 ? null : rounded(this.maxMs) }
  }

  /** Bands that end at 1, 2 and 5 of each power of ten, from the fastest call to the slowest. */
  bands(): readonly LatencyBand[] {
    const bands: { fromMs: number; toMs: number; calls: number }[] = []
    for (const { maxMs, calls } of this.buckets()) {
      const end = BAND_ENDS_MS.findIndex((endMs) => maxMs <= endMs)
      const first = bands.length === 0 ? end : BAND_ENDS_MS.indexOf(bands.at(-1)?.toMs ?? 0) + 1
      for (let at = first; at <= end; at++) {
        bands.push({ fromMs: BAND_ENDS_MS[at - 1] ?? 0, toMs: BAND_ENDS_MS[at] ?? 0, calls: 0 })
      }
      const last = bands.at(-1)
      if (last) last.calls += calls
    }
    return bands
  }

  /**
   * Percentiles in milliseconds, in a single pass: a report may have thousands of endpoints.
   *
   * @param percents ascending
   */
  private percentiles(percents: readonly number[]): (number | null)[] {
    const ranks = percents
      .filter((percent) => this.count * (100 - percent) >= 100)
      .map((percent) => Math.ceil((this.count * percent) / 100))
    const found: number[] = []
    let calls = 0
    for (const bucket of ranks.length > 0 ? this.buckets() : []) {
      calls += bucket.calls
      while (calls >= (ranks[found.length] ?? Number.POSITIVE_INFINITY)) {
        found.push(rounded(Math.min(bucket.maxMs, this.maxMs)))
      }
      if (found.length === ranks.length) break
    }
    return percents.map((_, at) => found[at] ?? null)
  }

  /** Buckets that are not empty, ascending, each with the largest latency that it can hold. */
  private *buckets(): Iterable<{ maxMs: number; calls: number }> {
    for (const us of this.few?.toSorted((one, other) => one - other) ?? []) {
      const { octave, slot } = bucketOf(us)
      yield { maxMs: maxMsOf(octave, slot), calls: 1 }
    }
    for (const [octave, slots] of this.octaves.entries()) {
      if (!slots) continue
      for (const [slot, calls] of slots.entries()) {
        if (calls > 0) yield { maxMs: maxMsOf(octave, slot), calls }
      }
    }
  }

  private place(us: number): void {
    if (this.few && this.few.length < FEW) {
      this.few.push(us)
      return
    }
    this.spill()
    this.fill(us)
  }

  /** Moves the individual latencies into buckets. Later ones are counted in buckets only. */
  private spill(): void {
    const { few } = this
    this.few = null
    for (const us of few ?? []) this.fill(us)
  }

  private fill(us: number): void {
    const { octave, slot } = bucketOf(us)
    const slots = this.octaves[octave] ?? this.open(octave)
    slots[slot] = (slots[slot] ?? 0) + 1
  }

  private open(octave: number): Uint32Array {
    const slots = new Uint32Array(SLOTS)
    this.octaves[octave] = slots
    return slots
  }
}

/** Octave 0 holds the first 1,024 values exactly; above it, the top bit selects the octave. */
function bucketOf(us: number): { octave: number; slot: number } {
  const octave = Math.max(0, 32 - Math.clz32(us) - BITS)
  return { octave, slot: octave === 0 ? us : (us >>> (octave - 1)) - SLOTS }
}

/** The largest latency that a bucket can hold. */
function maxMsOf(octave: number, slot: number): number {
  return octave === 0 ? slot / 1000 : ((SLOTS + slot + 1) * 2 ** (octave - 1) - 1) / 1000
}

/** Rounded to a microsecond, the precision of the clock. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
