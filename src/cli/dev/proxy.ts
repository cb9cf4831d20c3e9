import type { ListenAddress } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { findPolicy } from '../../policies/index.js'
import { PLAINTEXT } from '../../proxy/dial.js'
import { ProxyServer } from '../../proxy/proxy-server.js'
import { Registry } from '../../registry/registry.js'
import { untilSettled } from '../serving.js'

/** As the default of `disco proxy --replay-bytes`. */
const REPLAY_BYTES = 256 * 2 ** 10

/** The proxy of `disco dev`. Disposing of it ends its calls. */
export interface DevProxy extends AsyncDisposable {
  /** The bound `host:port`. */
  readonly address: string
}

/**
 * Starts a proxy in front of the sample backends. Resolves when it takes calls.
 *
 * @param endpoint the `host:port` of the embedded etcd
 * @throws DiscoError CONFLICT when the port is in use, USAGE when it cannot listen there
 */
export async function startDevProxy(
  endpoint: string,
  service: string,
  listen: ListenAddress,
  stop: AbortSignal,
): Promise<DevProxy> {
  const registry = await Registry.open({
    endpoints: [endpoint],
    endpointsSource: 'disco dev',
    cache: false,
  })
  try {
    const proxy = await ProxyServer.start({
      discovery: registry,
      listen: { ...listen, tls: null, connectionAgeMs: () => null },
      targets: [service],
      route: null,
      policy: findPolicy('weighted_round_robin').configure({}),
      healthService: null,
      dialerOf: () => PLAINTEXT,
      waitMs: 0,
      replayBytes: REPLAY_BYTES,
      random: Math.random,
    })
    await untilSettled(() => proxy.isSettled, stop)
    return {
      address: proxy.address,
      [Symbol.asyncDispose]: async () => {
        const drained = proxy.drain()
        proxy.cut()
        await drained
        registry.close()
      },
    }
  } catch (thrown) {
    registry.close()
    const { code, message } = DiscoError.from(thrown)
    if (code !== 'CONFLICT') throw thrown
    throw new DiscoError(code, message, { cause: thrown, suggestions: ['Use any free port: --proxy-port 0'] })
  }
}
