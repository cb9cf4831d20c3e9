import { setTimeout as delay } from 'node:timers/promises'
import type { Side } from './side.js'
import type { Step } from './steps.js'

/** The first difference between the two servers. */
export interface Difference {
  /** The step with different answers; undefined if a watch stream differs. */
  readonly step: Step | undefined
  readonly what: string
  readonly etcd: string
  readonly ours: string
}

/** Deadline for a stream to deliver its events after all other answers have arrived. */
const STREAM_DEADLINE_MS = 10_000

/** etcd synchronizes watchers of past revisions every 100 ms. After this time, they are synchronized. */
const SYNC_MS = 300

/** Runs the same steps against both servers, and compares all their answers. */
export class Comparison {
  private lastHistoryWatch = 0

  constructor(
    private readonly etcd: Side,
    private readonly ours: Side,
  ) {}

  /** @returns the answers if they were equal */
  async run(steps: readonly Step[]): Promise<{ answers: string[] } | { difference: Difference }> {
    if (steps.some((step) => step.do === 'settle')) await this.untilSynced()
    const [theirs, ours] = await Promise.all([this.etcd.run(steps), this.ours.run(steps)])
    if (steps.some((step) => step.do === 'watch')) this.lastHistoryWatch = performance.now()
    for (const [index, step] of steps.entries()) {
      const etcd = theirs[index] ?? ''
      if (etcd !== ours[index]) return { difference: { step, what: 'answer', etcd, ours: ours[index] ?? '' } }
    }
    if (steps.at(-1)?.do === 'settle') {
      const difference = await this.compareStreams()
      if (difference) return { difference }
    }
    return { answers: theirs }
  }

  private async untilSynced(): Promise<void> {
    const left = this.lastHistoryWatch + SYNC_MS - performance.now()
    if (left > 0) await delay(left)
  }

  /** Compares the watch streams. Equal streams are emptied, so that each part is compared once. */
  private async compareStreams(): Promise<Difference | undefined> {
    const deadline = performance.now() + STREAM_DEADLINE_MS
    for (;;) {
      const difference = this.streamDifference()
      if (difference === undefined) break
      if (performance.now() > deadline) return difference
      await delay(20)
    }
    for (const side of [this.etcd, this.ours])
      for (const stream of side.streams.values()) stream.messages = new Map()
    return undefined
  }

  private streamDifference(): Difference | undefined {
    for (const [index, theirs] of this.etcd.streams) {
      const ours = this.ours.streams.get(index)
      if (ours === undefined) throw new Error(`stream ${index} is open on one side only`)
      for (const id of new Set([...theirs.messages.keys(), ...ours.messages.keys()])) {
        const [messages = [], ourMessages = []] = [theirs.messages.get(id), ours.messages.get(id)]
        const at = Array.from({ length: Math.max(messages.length, ourMessages.length) }).findIndex(
          (_, place) => messages[place] !== ourMessages[place],
        )
        if (at === -1) continue
        const what = `stream ${index}, watcher ${id}, response ${at}`
        return { step: undefined, what, etcd: messages[at] ?? 'nothing', ours: ourMessages[at] ?? 'nothing' }
      }
      const breaches = [...theirs.breaches, ...ours.breaches].join('\n')
      if (breaches) return { step: undefined, what: `stream ${index}`, etcd: '', ours: breaches }
    }
    return undefined
  }
}
