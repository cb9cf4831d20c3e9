import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import type { Registration } from '../../src/registry/registration/registration.js'
import type { Registry } from '../../src/registry/registry.js'
import type { Etcd } from './etcd.js'
import { registration } from './etcd-state.js'
import { openRegistry } from './registry.js'

/** Which server is where: three services on five hosts. */
const SERVERS = [
  ...[1, 2, 3].map((host) => ({ service: 'hello', version: '1.0.0', host, weight: 1 })),
  { service: 'hello', version: '2.0.0', host: 5, weight: 1 },
  ...[1, 3, 4].map((host) => ({ service: 'orders', version: '1.0.0', host, weight: 2 })),
  ...[2, 3, 5].map((host) => ({ service: 'payments', version: '1.4.2', host, weight: 1 })),
] as const

const TTL_SECONDS = 10

/** Nobody listens there. */
const REFUSED = '127.0.0.2:9'

/**
 * A registry as it is on call: 3 services on 5 hosts, held by real registrars in front of real servers. Beside them
 * two leftovers of dead servers, a drained endpoint and one whose server says NOT_SERVING.
 */
export class OnCall implements AsyncDisposable {
  /** Registered without a lease; its host refuses connections. Of hello. */
  readonly refused = REFUSED

  private readonly greeters = new Map<string, Greeter>()
  private readonly registrations: Registration[] = []

  private constructor(
    private readonly registry: Registry,
    /** Registered without a lease; connections to it are never accepted. Of orders. */
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

  /** Weight 0. Of payments. */
  get drained(): string {
    return this.at('payments', 2)
  }

  /** Its server says NOT_SERVING. Of orders. */
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

  /** Starts a server on the host 127.0.0.N, and registers it; its address. */
  async serve(service: string, version: string, host: number, weight = 1): Promise<string> {
    const greeter = await startGreeter({ port: 0, host: `127.0.0.${host}` })
    this.greeters.set(`${service} ${host}`, greeter)
    const registered = { service, version, addr: greeter.addr, weight, metadata: {} }
    this.registrations.push(await this.registry.register({ registered, ttlSeconds: TTL_SECONDS }))
    return greeter.addr
  }

  /** Deregisters the servers, and ends them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.registrations.map((registration) => registration.close()))
    this.registry.close()
    for (const greeter of this.greeters.values()) greeter.stop()
  }
}
