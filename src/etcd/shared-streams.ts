import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import type { KeyRange } from './key-range.js'
import { type StreamEnd, StreamQueue } from './stream-queue.js'
import { watchStream } from './watch-stream.js'

/**
 * The etcd watch streams of a registry. All watches of one range share a stream; each has its own filter and its own
 * position in the history.
 */
export class SharedStreams {
  private readonly ranges = new Map<string, SharedRange>()

  constructor(private readonly client: EtcdClient) {}

  /**
   * Subscribes a watch to the stream of a range. Call it before the list, so that no event after the list is missed.
   */
  join(range: KeyRange): Subscriber {
    const key = [range.key, range.range_end].map((bytes) => bytes?.toString('hex')).join()
    const shared = this.ranges.get(key) ?? new SharedRange(this.client, range, () => this.ranges.delete(key))
    this.ranges.set(key, shared)
    return shared.join()
  }
}

/** The subscribers of one range, and its stream while it is open. */
class SharedRange {
  private readonly subscribers = new Set<Subscriber>()
  private readonly unused = new AbortController()
  private stream: OpenStream | null = null

  constructor(
    private readonly client: EtcdClient,
    private readonly range: KeyRange,
    private readonly onUnused: () => void,
  ) {}

  join(): Subscriber {
    const subscriber = new Subscriber(this)
    this.subscribers.add(subscriber)
    subscriber.pending = this.queue()
    return subscriber
  }

  leave(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber)
    this.drop(subscriber.pending)
    if (this.subscribers.size > 0) return
    this.onUnused()
    this.unused.abort()
  }

  /** A queue that receives all further responses of the stream; null while there is no stream. */
  queue(): StreamQueue | null {
    return this.stream?.queue() ?? null
  }

  drop(queue: StreamQueue | null): void {
    if (queue) this.stream?.queues.delete(queue)
  }

  /** Opens the stream at a revision. Every subscriber gets a queue. */
  open(from: Revision): void {
    const stream = new OpenStream(from - 1)
    this.stream = stream
    for (const subscriber of this.subscribers) subscriber.pending = stream.queue()
    void this.read(stream, from)
  }

  /** A separate stream for one subscriber. */
  separateStream(from: Revision, signal: AbortSignal): AsyncGenerator<IWatchResponse, void, void> {
    return watchStream(this.client, this.range, from, signal)
  }

  /** Never rejects: an error ends the queues. */
  private async read(stream: OpenStream, from: Revision): Promise<void> {
    let ending: StreamEnd = {}
    try {
      for await (const response of this.separateStream(from, this.unused.signal)) stream.add(response)
    } catch (error) {
      ending = { error }
    }
    this.stream = null
    for (const queue of stream.queues) queue.end(ending)
  }
}

class OpenStream {
  readonly queues = new Set<StreamQueue>()
  private created: IWatchResponse | null = null

  /** @param reached the last revision whose events have been delivered */
  constructor(private reached: Revision) {}

  queue(): StreamQueue {
    const queue = new StreamQueue(this.reached, this.created)
    this.queues.add(queue)
    return queue
  }

  add(response: IWatchResponse): void {
    if (response.created) this.created = response
    this.reached = Math.max(this.reached, lastRevision(response))
    for (const queue of this.queues) queue.add(response)
  }
}

/**
 * A watch that uses the shared stream of a range. It remains subscribed when the stream breaks and a new one is opened.
 */
export class Subscriber implements Disposable {
  /**
   * Responses that this watch has not read yet, since it joined or the stream was opened. Null while `responses` reads
   * them, or while there is no stream.
   */
  pending: StreamQueue | null = null

  constructor(private readonly shared: SharedRange) {}

  /**
   * The responses from a revision on, as by `watchStream`; earlier ones may be repeated. Opens the shared stream if
   * there is none. If the shared stream is already past that revision, reads a separate stream until it has caught up.
   *
   * @throws DiscoError the error of a stream
   */
  async *responses(from: Revision, signal: AbortSignal): AsyncGenerator<IWatchResponse, void, void> {
    if (!this.pending || this.pending.hasEnded) this.shared.open(from)
    let reached = from
    for (let queue = this.take(); queue; queue = this.take()) {
      const stop = () => queue?.end({})
      signal.addEventListener('abort', stop, { once: true })
      try {
        if (reached < queue.after) {
          let idleResponses = 0
          for await (const response of this.shared.separateStream(reached, signal)) {
            yield response
            if (response.canceled) return
            reached = Math.max(reached, lastRevision(response))
            // If there is no event in between, a progress response shows it. The first one does not prove it, see
            // `ResyncCheck`.
            if (isProgress(response) && Number(response.header.revision) >= queue.after) idleResponses++
            if (idleResponses > 1) reached = Math.max(reached, queue.after)
            if (reached >= queue.after) break
          }
        }
        let response = await queue.next()
        for (; response !== null && response !== 'lost'; response = await queue.next()) {
          if (signal.aborted) return
          yield response
          reached = Math.max(reached, lastRevision(response))
        }
        if (response === null) return
        this.pending = this.shared.queue()
      } finally {
        signal.removeEventListener('abort', stop)
        this.returnQueue(queue)
      }
    }
  }

  [Symbol.dispose](): void {
    this.shared.leave(this)
  }

  private take(): StreamQueue | null {
    const queue = this.pending
    this.pending = null
    return queue
  }

  /**
   * Keeps the queue for the next call of `responses`: the watch may stop reading, for example because a list failed,
   * while the stream continues.
   */
  private returnQueue(queue: StreamQueue): void {
    if (queue.hasEnded || this.pending) {
      this.shared.drop(queue)
      return
    }
    queue.rewind()
    this.pending = queue
  }
}

function isProgress({ created, events }: IWatchResponse): boolean {
  return !created && events.length === 0
}

/** The last revision of the events; 0 if there are none. */
function lastRevision({ events }: IWatchResponse): Revision {
  return Number(events.at(-1)?.kv.mod_revision ?? 0)
}
