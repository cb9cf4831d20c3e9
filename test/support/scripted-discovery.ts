import type { Discovery, Query, Update } from '../../src/domain/discovery.js'
import type { Endpoint } from '../../src/domain/endpoint.js'
import { DiscoError } from '../../src/domain/errors.js'
import { install } from '../../src/grpc/install.js'
import { endpoint } from './endpoints.js'

/** A registry whose updates a test determines. A later watch first receives the last list. */
export class ScriptedDiscovery implements Discovery {
  /** Number of watches started so far. */
  watches = 0
  private revision = 0
  private last: Update | null = null
  private failure: DiscoError | null = null
  private readonly listeners = new Set<(update: Update) => void>()

  /** A new registry, which resolves all `etcd:` targets of this process from now on. */
  static installed(): ScriptedDiscovery {
    const discovery = new ScriptedDiscovery()
    install({ discovery })
    return discovery
  }

  /** Number of current watches. */
  get watchers(): number {
    return this.listeners.size
  }

  /** Sends the whole list, as from etcd. */
  list(...endpoints: readonly Partial<Endpoint>[]): void {
    const made = endpoints.map((fields) => endpoint(fields))
    const revision = ++this.revision
    this.deliver({ type: 'reset', revision, endpoints: made, source: 'etcd', ageMs: 0 })
  }

  /** Sends a put of one endpoint, like `disco weight`. */
  put(fields: Partial<Endpoint>): void {
    const made = endpoint(fields)
    const change = { type: 'put', key: made.key, endpoints: [made] } as const
    this.deliver({ type: 'changes', revision: ++this.revision, changes: [change] })
  }

  delete(fields: Partial<Endpoint>): void {
    const change = { type: 'delete', key: endpoint(fields).key } as const
    this.deliver({ type: 'changes', revision: ++this.revision, changes: [change] })
  }

  /** Makes the registry unreachable. */
  lose(): void {
    const cause = new DiscoError('ETCD_UNREACHABLE', 'etcd is not reachable')
    this.deliver({ type: 'stale', sinceMs: Date.now(), cause })
  }

  /** Makes every current and new watch fail until `mend`. */
  fail(error: DiscoError): void {
    this.failure = error
    for (const listener of this.listeners) listener({ type: 'stale', sinceMs: Date.now(), cause: error })
  }

  mend(): void {
    this.failure = null
  }

  async *watch(_: Query, signal: AbortSignal): AsyncGenerator<Update, void, void> {
    this.watches++
    const queue: Update[] = this.last ? [this.last] : []
    let wake = () => {}
    const hear = (update: Update) => {
      queue.push(update)
      wake()
    }
    this.listeners.add(hear)
    signal.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!signal.aborted) {
        if (this.failure) throw this.failure
        const next = queue.shift()
        if (next) yield next
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      this.listeners.delete(hear)
    }
  }

  private deliver(update: Update): void {
    if (update.type === 'reset' || this.last === null) this.last = update
    for (const listener of this.listeners) listener(update)
  }
}
