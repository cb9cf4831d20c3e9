import { setTimeout as delay } from 'node:timers/promises'
import { EtcdApi } from './etcd-api.js'

const POLL_PERIOD_MS = 50

/** Looks for a key every 50 ms, by connections of its own that no fault touches. */
export class KeyPoll implements AsyncDisposable {
  /** How often it looked, and how often the key was not there. */
  looked = 0
  absent = 0
  private isStopped = false
  private readonly ended: Promise<void>

  /** @param endpoints asked in turn: one that fails leaves the word to the next */
  constructor(
    endpoints: readonly string[],
    private readonly key: string,
  ) {
    this.ended = this.poll(endpoints.map((endpoint) => new EtcdApi(endpoint)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isStopped = true
    await this.ended
  }

  private async poll(members: readonly EtcdApi[]): Promise<void> {
    while (!this.isStopped) {
      for (const api of members) {
        // A member's own data, without a word to the leader: there may be none for a moment.
        const request = {
          key: Buffer.from(this.key).toString('base64'),
          serializable: true,
          count_only: true,
        }
        const outcome = await api.call('KV/Range', request)
        if (!('ok' in outcome)) continue
        this.looked++
        if (outcome.ok.count === '0') this.absent++
        break
      }
      await delay(POLL_PERIOD_MS)
    }
    for (const api of members) api.close()
  }
}
