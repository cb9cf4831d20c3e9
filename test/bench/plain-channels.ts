import { connectivityState, experimental, Metadata, status } from '@grpc/grpc-js'
import { LiveSnapshot } from '../../src/domain/live-snapshot.js'
import { endpointsOf } from '../../src/domain/snapshot.js'
import type { Registry } from '../../src/registry/registry.js'

/**
 * Registers the scheme `plain`, whose resolver only passes a list on to all channels: the cost of channels without disco's
 * resolver and balancer.
 *
 * @param policy grpc-js's `round_robin`, or `bench_nothing`, which does nothing with a list
 */
export function installPlain(registry: Registry, policy: string): void {
  experimental.registerLoadBalancerType('bench_nothing', Nothing, NothingConfig)
  experimental.registerResolver('plain', PlainResolver)
  const serviceConfig = experimental.statusOrFromValue({
    loadBalancingConfig: [{ [policy]: {} }],
    methodConfig: [],
  })
  void (async () => {
    const snapshot = new LiveSnapshot()
    for await (const update of registry.watch({ service: 'hello' })) {
      snapshot.apply(update)
      const list = endpointsOf(snapshot).map(({ addr }) => ({ addresses: [addressOf(addr)] }))
      latest = (listener) => listener(experimental.statusOrFromValue(list), {}, serviceConfig, '')
      for (const listener of listeners) latest(listener)
    }
  })()
}

const listeners = new Set<experimental.ResolverListener>()
let latest: ((listener: experimental.ResolverListener) => void) | null = null

class PlainResolver implements experimental.Resolver {
  constructor(
    _target: experimental.GrpcUri,
    private readonly listener: experimental.ResolverListener,
  ) {}

  updateResolution(): void {
    if (listeners.has(this.listener)) return
    listeners.add(this.listener)
    process.nextTick(() => latest?.(this.listener))
  }

  destroy(): void {
    listeners.delete(this.listener)
  }

  static getDefaultAuthority(): string {
    return 'plain'
  }
}

class Nothing implements experimental.LoadBalancer {
  private isReported = false

  constructor(private readonly helper: experimental.ChannelControlHelper) {}

  updateAddressList(): boolean {
    const failure = { code: status.UNAVAILABLE, details: 'does nothing', metadata: new Metadata() }
    if (!this.isReported)
      this.helper.updateState(connectivityState.READY, new experimental.UnavailablePicker(failure), null)
    this.isReported = true
    return true
  }

  exitIdle(): void {}
  resetBackoff(): void {}
  destroy(): void {}
  getTypeName = () => 'bench_nothing'
}

class NothingConfig implements experimental.TypedLoadBalancingConfig {
  getLoadBalancerName = () => 'bench_nothing'
  toJsonObject = () => ({ bench_nothing: {} })
  static createFromJson = () => new NothingConfig()
}

function addressOf(addr: string): experimental.SubchannelAddress {
  const [host = '', port = ''] = addr.split(':')
  return { host, port: Number(port) }
}
