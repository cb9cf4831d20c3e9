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

/** The watch id that every stream uses for the fence key. No other watcher uses it. */
const FENCE_ID = '987654321'

/** The id of a watcher that is created and canceled after each request, to detect that the request was processed. */
const MARK_ID = '987654322'

/** Events of a watch stream by watcher. Their distribution over responses is not compared. */
export class WatchRecord {
  /** Events and other messages in order, by watch id. */
  messages = new Map<string, string[]>()
  /** Violations of the protocol that are visible without a second server. */
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
   * Sends a request, and resolves when the server has processed it. Some requests have no answer, but the creation and
   * cancellation of a watcher after them have.
   */
  async request(request: Message): Promise<void> {
    const target = this.marks + 1
    this.stream.write(request)
    this.stream.write({ create_request: { key: FENCE_KEY, watch_id: MARK_ID } })
    this.stream.write({ cancel_request: { watch_id: MARK_ID } })
    await this.until(() => this.marks >= target)
  }

  /**
   * Resolves when the fence event of a revision has arrived. All events that are due before it have arrived as well.
   */
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
      const messages = this.messages.get(id) ?? []
      this.messages.set(id, messages)
      for (const event of events) messages.push(JSON.stringify(event))
      if (created || canceled) {
        messages.push(
          JSON.stringify({ revision: header.revision, created, canceled, ...rest, fragment: undefined }),
        )
      }
      const last = events.at(-1)?.kv.mod_revision ?? '0'
      if (Number(header.revision) < Number(last))
        this.breaches.push(`revision ${header.revision} below ${last}`)
    }
    if (id === '-1' && !created) this.messages.get(id)?.push(`progress at ${header.revision}`)
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
