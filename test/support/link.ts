import type { Registry, RegistryOptions } from '../../src/registry/registry.js'
import type { Etcd } from './etcd.js'
import { type Happened, historyOf } from './etcd-history.js'
import { FaultProxy } from './fault-proxy.js'
import { openRegistry } from './registry.js'
import { UpdateLog } from './update-log.js'
import { Writer } from './writer.js'

/** A watch of one service through a fault proxy, and a writer that does not use the proxy. */
export class Link implements AsyncDisposable {
  private constructor(
    readonly proxy: FaultProxy,
    readonly registry: Registry,
    readonly writer: Writer,
    readonly log: UpdateLog,
  ) {}

  /** Resolves when the watch has its first list. */
  static async open(etcd: Etcd, service: string, options: Partial<RegistryOptions> = {}): Promise<Link> {
    const proxy = await FaultProxy.start(etcd.endpoint)
    const registry = await openRegistry([proxy.endpoint], options)
    const log = new UpdateLog(registry, service)
    await log.has('the first list', () => log.count('reset') === 1)
    return new Link(proxy, registry, new Writer(etcd.endpoint, service), log)
  }

  /** The events that etcd recorded after the first list, up to a revision that changed the service. */
  async history(upTo: number): Promise<Happened[]> {
    const [first] = this.log.updates
    const after = first?.type === 'reset' ? first.revision : 0
    return await historyOf(this.writer.api, this.writer.prefix, { after, upTo })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.log[Symbol.asyncDispose]()
    this.registry.close()
    this.writer[Symbol.dispose]()
    await this.proxy[Symbol.asyncDispose]()
  }
}
