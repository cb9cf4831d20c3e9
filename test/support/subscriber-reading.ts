import type { IWatchResponse } from 'etcd3'
import type { Subscriber } from '../../src/etcd/shared-streams.js'

/** Reads the responses for a subscriber, and records the revisions of their events. */
export class Reading {
  readonly revisions: number[] = []
  created = 0
  private readonly stop = new AbortController()
  private readonly responses: AsyncGenerator<IWatchResponse, void, void>

  constructor(subscriber: Subscriber, from: number) {
    this.responses = subscriber.responses(from, this.stop.signal)
  }

  async upTo(revision: number): Promise<number[]> {
    while ((this.revisions.at(-1) ?? 0) < revision) {
      const { value } = await this.responses.next()
      if (!value) throw new Error('the stream ended')
      if (value.created) this.created++
      for (const { kv } of value.events) this.revisions.push(Number(kv.mod_revision))
    }
    return [...new Set(this.revisions)]
  }

  /** Stops reading, like a watch whose list failed. */
  async leave(): Promise<void> {
    await this.responses.return()
  }

  async end(): Promise<void> {
    this.stop.abort()
    await this.responses.return()
  }
}
