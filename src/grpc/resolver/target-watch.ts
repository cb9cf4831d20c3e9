import { type ChannelOptions, experimental } from '@grpc/grpc-js'
import { type RegisteredEndpoint, registered } from './endpoint.js'
import type { SelectedList } from './live-list.js'
import { OBSERVER_OPTION, type Observer } from './observer.js'
import { readTarget, type TargetName } from './resolve.js'

/** Receives the lists that a target resolves to. */
export interface TargetListener {
  /** A new list. @param note a description of the list, for messages; empty for other schemes than `etcd:` */
  list(endpoints: readonly RegisteredEndpoint[], note: string): void
  /** The target cannot be resolved. The previous list, if any, remains valid; resolution is retried. */
  failed(details: string): void
  /** The registry's list. Also called if only `stale` has changed. Not called for other schemes than `etcd:`. */
  resolved?(now: SelectedList): void
}

/** Resolves a target continuously with the resolver that a channel would use, but without a channel. */
export class TargetWatch {
  readonly name: TargetName
  private readonly resolver: experimental.Resolver
  private isClosed = false

  /**
   * @param listener not called before the constructor returns
   * @throws DiscoError USAGE for an invalid target
   */
  constructor(text: string, listener: TargetListener) {
    this.name = readTarget(text)
    const observer: Observer = { resolved: (now) => listener.resolved?.(now) }
    const options: ChannelOptions = { 'grpc.enable_http_proxy': 0, [OBSERVER_OPTION]: observer }
    const listen: experimental.ResolverListener = (endpoints, _attributes, _config, note) => {
      if (endpoints.ok) listener.list(endpoints.value.map(registered), note)
      else listener.failed(endpoints.error.details)
      return true
    }
    this.resolver = experimental.createResolver(this.name.uri, listen, options)
    queueMicrotask(() => this.refresh())
  }

  /** Resolves again. Call it after a lost connection: the addresses of a DNS name may have changed. */
  refresh(): void {
    if (!this.isClosed) this.resolver.updateResolution()
  }

  close(): void {
    this.isClosed = true
    this.resolver.destroy()
  }
}
