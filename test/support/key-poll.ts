import { setTimeout as delay } from 'node:timers/promises'
import { EtcdApi } from './etcd-api.js'

const POLL_PERIOD_MS = 50

/** Reads a key every 50 ms, over connections that are not affected by faults. */
export class KeyPoll implements AsyncDisposable {
  /** Number of reads, and the number of them that did not find the key. */
  looked = 0
  absent = 0
  private isStopped = false
  private readonly ended: Promise<void>

  /** @param endpoints in order of preference: the next one is read if one fails */
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
        // Read from the member’s own data, because there may be no leader for a moment.
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
