import type { Revision } from './endpoint.js'

/**
 * A sample of a cluster's revision: etcd's newest revision was this one at some moment between `sentMs` and
 * `receivedMs`, both in milliseconds since the epoch by the clock of this machine.
 */
export interface RevisionSample {
  readonly revision: Revision
  readonly raftTerm: number
  readonly sentMs: number
  readonly receivedMs: number
}

/** Bounds of the time of a change, in milliseconds since the epoch; null for a bound that is not known. */
export interface TimeBounds {
  readonly afterMs: number | null
  readonly beforeMs: number | null
}

const UNKNOWN: TimeBounds = { afterMs: null, beforeMs: null }

/**
 * Bounds the times of revisions by samples, because etcd stores no times. A change happened after the last sample of a
 * lower revision, and before the first sample of its own or a higher revision.
 *
 * Only these two samples are used. If the clock was set back between them, they contradict each other, and both bounds
 * are null. A wrong sample further away has no effect.
 */
export class RevisionTimes {
  private readonly samples: readonly RevisionSample[]

  /** @param samples of one cluster, in the order in which they were taken */
  constructor(samples: readonly RevisionSample[]) {
    this.samples = samples.slice(startOfCurrentData(samples))
  }

  boundsOf(revision: Revision): TimeBounds {
    const at = this.firstFrom(revision)
    const afterMs = this.samples[at - 1]?.sentMs ?? null
    const beforeMs = this.samples[at]?.receivedMs ?? null
    return afterMs !== null && beforeMs !== null && afterMs > beforeMs ? UNKNOWN : { afterMs, beforeMs }
  }

  /** The revision of the last sample received by `timeMs`; null if there is none. Later changes have higher ones. */
  lastBefore(timeMs: number): Revision | null {
    return this.samples.findLast(({ receivedMs }) => receivedMs <= timeMs)?.revision ?? null
  }

  /** The index of the first sample whose revision is not lower than this one. */
  private firstFrom(revision: Revision): number {
    let [low, high] = [0, this.samples.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.samples[middle]?.revision ?? 0) < revision) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * The index of the first sample of the current data. Revisions and raft terms of a cluster only grow. A lower one means
 * that other data has the same cluster id since then, for example after a restore.
 */
function startOfCurrentData(samples: readonly RevisionSample[]): number {
  const index = samples.findLastIndex(({ revision, raftTerm }, at) => {
    const before = samples[at - 1]
    return before !== undefined && (revision < before.revision || raftTerm < before.raftTerm)
  })
  return Math.max(0, index)
}

/** A line of a file of samples: `@receivedMs tookMs revision raftTerm`. */
export function sampleLine({ revision, raftTerm, sentMs, receivedMs }: RevisionSample): string {
  const tookMs = Math.max(0, Math.ceil(receivedMs - sentMs))
  return `@${Math.ceil(receivedMs)} ${tookMs} ${revision} ${raftTerm}`
}

/** Because of the `@`, an incomplete line does not match if another line was appended to it. */
const LINE = /^@(\d{1,15}) (\d{1,9}) (\d{1,16}) (\d{1,16})$/

/** Reads the lines of a file of samples. Ignores damaged lines. */
export function parseSamples(text: string): RevisionSample[] {
  return text.split('\n').flatMap((line) => {
    const [receivedMs = 0, tookMs = 0, revision = 0, raftTerm = 0] = (LINE.exec(line) ?? [])
      .slice(1)
      .map(Number)
    if (!Number.isSafeInteger(revision) || revision < 1) return []
    return { revision, raftTerm, receivedMs, sentMs: receivedMs - tookMs }
  })
}
