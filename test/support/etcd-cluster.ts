import { type EtcdPlace, RealEtcd } from './etcd.js'
import type { EtcdVersion } from './etcd-binary.js'
import { FaultProxy } from './fault-proxy.js'
import { freePorts } from './ports.js'

/** A real etcd cluster of three. Clients reach each member by a proxy of its own; members reach each other. */
export class EtcdCluster implements AsyncDisposable {
  private constructor(
    readonly members: readonly RealEtcd[],
    readonly proxies: readonly FaultProxy[],
  ) {}

  /** @param version of all members, which {@link RealEtcd.upgrade} changes one by one */
  static async start(version?: EtcdVersion): Promise<EtcdCluster> {
    const settings = version === undefined ? {} : { version }
    const started = (await places(3)).map((place) => RealEtcd.start({ ...settings, place }))
    const members = await Promise.all(started)
    const proxies = await Promise.all(members.map(({ endpoint }) => FaultProxy.start(endpoint)))
    return new EtcdCluster(members, proxies)
  }

  /** The proxies' `host:port`, in the order of the members. */
  get endpoints(): string[] {
    return this.proxies.map(({ endpoint }) => endpoint)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.proxies) await proxy[Symbol.asyncDispose]()
    await Promise.all(this.members.map((member) => member.stop()))
  }
}

async function places(count: number): Promise<EtcdPlace[]> {
  const ports = await freePorts(2 * count)
  const named = Array.from({ length: count }, (_, index) => ({
    name: `m${index + 1}`,
    clientPort: ports[2 * index] ?? 0,
    peerUrl: `http://127.0.0.1:${ports[2 * index + 1]}`,
  }))
  const cluster = named.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')
  return named.map((place) => ({ ...place, cluster }))
}
