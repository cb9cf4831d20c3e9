import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'

/**
 * Maximum number of events that wait for one reader. More than usually arrive while a watch reads the longest list. The
 * queues of a stream share the events, so that all queues together take about 20 MB.
 */
export const MAX_WAITING_EVENTS = 20_000

/** How a stream ended: `error` is present after a failure. */
export interface StreamEnd {
  readonly error?: unknown
}

/** Responses of a shared stream that wait for one reader. */
export class StreamQueue {
  private responses: IWatchResponse[] = []
  private events = 0
  private isLost = false
  private ending: StreamEnd | null = null
  private wake: () => void = () => {}

  /**
   * @param after the queue receives all events of later revisions
   * @param created etcd's confirmation of the watch, if it has come
   */
  constructor(
    readonly after: Revision,
    private created: IWatchResponse | null,
  ) {
    this.rewind()
  }

  get hasEnded(): boolean {
    return this.ending !== null
  }

  /** Prepares the queue for another reader: the confirmation of the watch comes first again. */
  rewind(): void {
    if (this.created) this.responses.unshift(this.created)
  }

  add(response: IWatchResponse): void {
    if (this.ending || this.isLost) return
    if (response.created) this.created = response
    this.events += response.events.length
    this.isLost = this.events > MAX_WAITING_EVENTS && this.responses.length > 0
    if (this.isLost) this.responses = []
    else this.responses.push(response)
    this.wake()
  }

  end(ending: StreamEnd): void {
    this.ending ??= ending
    this.wake()
  }

  /**
   * The next response; null at the end of the stream; `lost` if too many events waited and were discarded. One caller
   * at a time.
   *
   * @throws the error of the stream
   */
  async next(): Promise<IWatchResponse | null | 'lost'> {
    for (;;) {
      const response = this.responses.shift()
      if (response) {
        this.events -= response.events.length
        return response
      }
      if (this.isLost) return 'lost'
      if (this.ending && 'error' in this.ending) throw this.ending.error
      if (this.ending) return null
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}
