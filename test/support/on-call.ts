import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'
import type { Etcd } from './etcd.js'
import { registration } from './etcd-state.js'
import { openRegistry } from './registry.js'

/** The servers: three services on five hosts. */
const SERVERS = [
  ...[1, 2, 3].map((host) => ({ service: 'hello', version: '1.0.0', host, weight: 1 })),
  { service: 'hello', version: '2.0.0', host: 5, weight: 1 },
  ...[1, 3, 4].map((host) => ({ service: 'orders', version: '1.0.0', host, weight: 2 })),
  ...[2, 3, 5].map((host) => ({ service: 'payments', version: '1.4.2', host, weight: 1 })),
] as const

/** Longer than any stall of a busy machine. */
const TTL_SECONDS = 60

/** An address at which no server listens. */
const REFUSED = '127.0.0.2:9'

/**
 * A registry with 3 services on 5 hosts, registered by real registrars for real servers. It also contains two
 * registrations of dead servers, a drained endpoint, and one whose server reports NOT_SERVING.
 */
export class OnCall implements AsyncDisposable {
  /** An endpoint of hello without a lease; its host refuses connections. */
  readonly refused = REFUSED

  private readonly greeters = new Map<string, Greeter>()
  private readonly registrations: Registration[] = []

  private constructor(
    private readonly registry: Registry,
    /** An endpoint of orders without a lease; connections to it are never accepted. */
    readonly blackHole: string,
  ) {}

  static async start(etcd: Etcd, blackHole: string): Promise<OnCall> {
    const onCall = new OnCall(await openRegistry([etcd.endpoint]), blackHole)
    for (const { service, version, host, weight } of SERVERS)
      await onCall.serve(service, version, host, weight)
    await etcd.ctl('put', ...registration('hello', REFUSED, { version: '1.0.0' }))
    await etcd.ctl('put', ...registration('orders', blackHole, { version: '1.0.0' }))
    await onCall.registry.setWeight({ service: 'payments', addr: onCall.drained }, 0)
    onCall.greeter('orders', 4).setHealth('NOT_SERVING')
    return onCall
  }

  /** An endpoint of payments with weight 0. */
  get drained(): string {
    return this.at('payments', 2)
  }

  /** An endpoint of orders whose server reports NOT_SERVING. */
  get notServing(): string {
    return this.at('orders', 4)
  }

  /** The address of a service on the host 127.0.0.N. */
  at(service: string, host: number): string {
    return this.greeter(service, host).addr
  }

  greeter(service: string, host: number): Greeter {
    const found = this.greeters.get(`${service} ${host}`)
    if (!found) throw new Error(`no ${service} on 127.0.0.${host}`)
    return found
  }

  /** Starts a server on the host 127.0.0.N and registers it. Returns its address. */
  async serve(service: string, version: string, host: number, weight = 1): Promise<string> {
    const greeter = await startGreeter({ port: 0, host: `127.0.0.${host}` })
    this.greeters.set(`${service} ${host}`, greeter)
    const registered = { service, version, addr: greeter.addr, weight, metadata: {} }
    this.registrations.push(await this.registry.register({ registered, ttlSeconds: TTL_SECONDS }))
    return greeter.addr
  }

  /** Deregisters the servers and stops them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.registrations.map((registration) => registration.close()))
    this.registry.close()
    for (const greeter of this.greeters.values()) greeter.stop()
  }
}
