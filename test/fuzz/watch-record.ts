import type { ClientDuplexStream } from '@grpc/grpc-js'
import type { Message } from '../support/etcd-api.js'
import { FENCE_KEY } from './steps.js'

interface WatchResponse extends Message {
  readonly header: { readonly revision: string }
  readonly watch_id: string
  readonly created: boolean
  readonly canceled: boolean
  readonly events: ReadonlyArray<{ readonly kv: { readonly key: string; readonly mod_revision: string } }>
}

/** The id under which each stream watches the fence; out of the way of any other. */
const FENCE_ID = '987654321'

/** The id of a watcher that is created and canceled behind each request. */
const MARK_ID = '987654322'

/** What one watch stream has said, by watcher: the batching of events is the server's own affair. */
export class WatchRecord {
  /** By watch id: what it was told, in order. */
  said = new Map<string, string[]>()
  /** Breaches of the protocol that need no second server to be seen. */
  readonly breaches: string[] = []
  private marks = 0
  private fence = 0
  private readonly changed = new Set<() => void>()

  constructor(private readonly stream: ClientDuplexStream<Message, Message>) {
    stream.on('data', (response: WatchResponse) => this.record(response))
    stream.on('error', (error) => this.breaches.push(`stream ended: ${error.message}`))
    stream.write({ create_request: { key: FENCE_KEY, watch_id: FENCE_ID } })
  }

  /**
   * Sends a request; done when the server has taken it in. Not every request has an answer, but a watcher that is
   * created and canceled behind it has.
   */
  async request(request: Message): Promise<void> {
    const target = this.marks + 1
    this.stream.write(request)
    this.stream.write({ create_request: { key: FENCE_KEY, watch_id: MARK_ID } })
    this.stream.write({ cancel_request: { watch_id: MARK_ID } })
    await this.until(() => this.marks >= target)
  }

  /** Done when the fence's event at a revision has come, behind all that was due before it. */
  async passed(revision: number): Promise<void> {
    await this.until(() => this.fence >= revision)
  }

  close(): void {
    this.stream.removeAllListeners('error').on('error', () => {})
    this.stream.cancel()
  }

  private record(response: WatchResponse): void {
    const { header, watch_id: id, created, canceled, events, ...rest } = response
    if (id === FENCE_ID) this.fence = Math.max(this.fence, Number(events.at(-1)?.kv.mod_revision ?? 0))
    else if (id === MARK_ID) this.marks += canceled ? 1 : 0
    else {
      const said = this.said.get(id) ?? []
      this.said.set(id, said)
      for (const event of events) said.push(JSON.stringify(event))
      if (created || canceled) {
        said.push(
          JSON.stringify({ revision: header.revision, created, canceled, ...rest, fragment: undefined }),
        )
      }
      const last = events.at(-1)?.kv.mod_revision ?? '0'
      if (Number(header.revision) < Number(last))
        this.breaches.push(`revision ${header.revision} below ${last}`)
    }
    if (id === '-1' && !created) this.said.get(id)?.push(`progress at ${header.revision}`)
    for (const check of [...this.changed]) check()
  }

  private until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(
        () => settle(() => reject(new Error('no answer on a watch stream'))),
        20_000,
      )
      const check = (): void => {
        if (holds()) settle(resolve)
      }
      const settle = (finish: () => void): void => {
        clearTimeout(deadline)
        this.changed.delete(check)
        finish()
      }
      this.changed.add(check)
    })
  }
}
