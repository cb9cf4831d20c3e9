import type { Rng } from '../fuzz/rng.js'
import type { EtcdCluster } from '../support/etcd-cluster.js'
import type { FaultProxy } from '../support/fault-proxy.js'

/** A fault for a while: of one member, or of the network before all of them. */
export interface Fault {
  readonly name: string
  /** The member that is not to be asked meanwhile; null where all of them still answer those who go around. */
  readonly member: number | null
  readonly lastsMs: number
  begin(): unknown
  end(): Promise<void>
}

/** At most one member at a time, so that the other two still are a cluster. */
export function randomFault(rng: Rng, { members, proxies }: EtcdCluster): Fault {
  const member = rng.int(0, members.length - 1)
  const etcd = members[member]
  const proxy = proxies[member]
  if (!etcd || !proxy) throw new Error('there is no such member')
  const heal = () => proxy.heal()
  const all = async (act: (each: FaultProxy) => unknown) => {
    for (const each of proxies) await act(each)
  }
  const make = rng.weighted<() => Fault>([
    [4, () => fault('cut', 0, () => proxy.cut(), heal)],
    [2, () => fault('cut all', 0, () => all((each) => each.cut()), heal)],
    [2, () => fault('cut in the middle', 500, () => proxy.cutAfter('toClient', rng.int(1, 20_000), 3), heal)],
    [3, () => fault('blackhole', rng.int(1_000, 9_000), () => proxy.blackhole(), heal)],
    [2, () => fault('mute', rng.int(1_000, 9_000), () => proxy.blackhole('toClient'), heal)],
    [2, () => fault('delay', rng.int(500, 4_000), () => proxy.delay(rng.int(20, 400)), heal)],
    [2, () => fault('throttle', rng.int(500, 4_000), () => proxy.limit('toClient', 20_000), heal)],
    [2, () => fault('refuse', rng.int(200, 4_000), () => proxy.refuse(), heal)],
    [
      2,
      () =>
        fault(
          'refuse all',
          rng.int(200, 4_000),
          () => all((each) => each.refuse()),
          () => all((each) => each.heal()),
        ),
    ],
    [
      3,
      () => ({
        ...fault(
          'kill',
          rng.int(200, 5_000),
          () => etcd.kill(),
          () => etcd.restart(),
        ),
        member,
      }),
    ],
    [
      2,
      () => ({
        ...fault(
          'freeze',
          rng.int(500, 8_000),
          () => etcd.pause(),
          async () => etcd.resume(),
        ),
        member,
      }),
    ],
  ])
  return make()
}

function fault(name: string, lastsMs: number, begin: () => unknown, end: () => Promise<void>): Fault {
  return { name, member: null, lastsMs, begin, end }
}
