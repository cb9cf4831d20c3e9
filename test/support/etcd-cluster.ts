import { until } from './disco.js'
import { type EtcdPlace, RealEtcd } from './etcd.js'
import type { EtcdVersion } from './etcd-binary.js'
import { announceLearner, isLeader, memberId } from './etcd-membership.js'
import { FaultProxy } from './fault-proxy.js'
import { PeerNetwork } from './peer-network.js'
import { freePorts } from './ports.js'

/** A real etcd cluster of three. Clients and other members reach each member through proxies. */
export class EtcdCluster implements AsyncDisposable {
  private readonly learners: RealEtcd[] = []

  private constructor(
    readonly members: readonly RealEtcd[],
    readonly proxies: readonly FaultProxy[],
    private readonly network: PeerNetwork,
    private readonly places: readonly EtcdPlace[],
  ) {}

  /**
   * @param version of all members, which {@link RealEtcd.upgrade} changes for one member
   * @param args further flags of etcd
   */
  static async start(version?: EtcdVersion, args: readonly string[] = []): Promise<EtcdCluster> {
    const settings = version === undefined ? { args } : { args, version }
    const network = new PeerNetwork()
    const places = await placesOf(3, network)
    const members = await Promise.all(places.map((place) => RealEtcd.start({ ...settings, place })))
    const proxies = await Promise.all(members.map(({ endpoint }) => FaultProxy.start(endpoint)))
    return new EtcdCluster(members, proxies, network, places)
  }

  /** `host:port` of the proxies, in the order of the members. */
  get endpoints(): string[] {
    return this.proxies.map(({ endpoint }) => endpoint)
  }

  /**
   * The leader of the cluster. Waits for the end of an election, which a busy machine may cause.
   *
   * @param among members that answer; by default all
   */
  async leader(among: readonly RealEtcd[] = this.members): Promise<RealEtcd> {
    let leader: RealEtcd | undefined
    await until(
      async () => {
        const areLeaders = await Promise.all(among.map((member) => isLeader(member).catch(() => false)))
        leader = among[areLeaders.indexOf(true)]
        return leader !== undefined
      },
      () => 'a leader',
    )
    return leader as RealEtcd
  }

  /** Disconnects a member from the others, but not from its clients, until {@link unite}. */
  async isolate(member: RealEtcd): Promise<void> {
    this.network.isolate(member.place.name, await memberId(member, member))
  }

  unite(): void {
    this.network.heal()
  }

  /** Adds a fourth member that does not vote. Clients reach it without a proxy. */
  async addLearner(): Promise<RealEtcd> {
    const [first] = this.members
    const [place] = await placesOf(1, this.network, this.places)
    if (!first || !place) throw new Error('a cluster has a first member')
    await announceLearner(place, first)
    const learner = await RealEtcd.start({ place, joinsAs: 'learner' })
    this.learners.push(learner)
    return learner
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.proxies) await proxy[Symbol.asyncDispose]()
    await Promise.all([...this.members, ...this.learners].map((member) => member.stop()))
    await this.network[Symbol.asyncDispose]()
  }
}

/** Ports and peer URLs of `count` further members. */
async function placesOf(
  count: number,
  network: PeerNetwork,
  others: readonly EtcdPlace[] = [],
): Promise<EtcdPlace[]> {
  const ports = await freePorts(2 * count)
  const named = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = `m${others.length + index + 1}`
      const [clientPort = 0, peerPort = 0] = ports.slice(2 * index)
      const peerUrl = await network.link(name, peerPort)
      return { name, clientPort, peerUrl, listenPeerUrl: `http://127.0.0.1:${peerPort}` }
    }),
  )
  const cluster = [...others, ...named].map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')
  return named.map((place) => ({ ...place, cluster }))
}
