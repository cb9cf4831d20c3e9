import type { Rng } from '../fuzz/rng.js'
import type { EtcdApi } from '../support/etcd-api.js'
import type { EtcdCluster } from '../support/etcd-cluster.js'
import type { FaultProxy } from '../support/fault-proxy.js'
import type { SoakCredentials } from './credentials.js'

/** A temporary fault of one member, or of the network between the clients and all members. */
export interface Fault {
  readonly name: string
  /** The member that cannot be used during the fault; null if all members can be reached without the proxies. */
  readonly member: number | null
  readonly lastsMs: number
  begin(): unknown
  end(): Promise<void>
}

/** A random fault, of at most one member at a time, so that the other two still form a cluster. */
export function randomFault(
  rng: Rng,
  cluster: EtcdCluster,
  credentials: SoakCredentials,
  api: () => EtcdApi,
): Fault {
  const { members, proxies } = cluster
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
    [2, () => fault('forget', rng.int(1_000, 9_000), () => proxy.forget(), heal)],
    [
      2,
      () =>
        fault(
          'drop all',
          rng.int(200, 4_000),
          () => all((each) => each.drop()),
          () => all((each) => each.heal()),
        ),
    ],
    [
      2,
      () =>
        fault(
          'slow all',
          rng.int(2_000, 8_000),
          () => all((each) => each.delay(200)),
          () => all((each) => each.heal()),
        ),
    ],
    [
      2,
      () =>
        // Requests reach etcd, but the connection ends before the answers arrive.
        fault(
          'cut before the answer',
          rng.int(50, 800),
          () => all((each) => each.blackhole('toClient')),
          () => all((each) => each.cut()).then(() => all((each) => each.heal())),
        ),
    ],
    [
      2,
      () => ({
        ...fault(
          'no peers',
          rng.int(1_000, 8_000),
          () => cluster.isolate(etcd),
          async () => cluster.unite(),
        ),
        member,
      }),
    ],
    [
      1,
      () => {
        const others = members.filter((other) => other !== etcd)
        const begin = () => {
          for (const other of others) other.pause()
        }
        const end = async () => {
          for (const other of others) other.resume()
        }
        return fault('no quorum', rng.int(500, 4_000), begin, end)
      },
    ],
    [2, () => changeCredentials(rng, credentials, api, all)],
    [2, () => setClock(rng.chance(0.5) ? HOUR_MS : -HOUR_MS, rng, all)],
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

const HOUR_MS = 3_600_000

/** Changes the password in etcd, and a moment later in its file. Half of the time, connections are cut as well. */
function changeCredentials(
  rng: Rng,
  credentials: SoakCredentials,
  api: () => EtcdApi,
  all: (act: (each: FaultProxy) => unknown) => Promise<void>,
): Fault {
  const begin = async () => {
    await credentials.change(api(), `password-${rng.int(1, 1_000_000)}`)
    if (rng.chance(0.5)) await all((each) => each.cut())
  }
  return fault('password', rng.int(0, 3_000), begin, async () => credentials.publish())
}

/** Sets the clock of this process by an hour, before or during an outage, and sets it back afterwards. */
function setClock(
  stepMs: number,
  rng: Rng,
  all: (act: (each: FaultProxy) => unknown) => Promise<void>,
): Fault {
  const begin = async () => {
    if (rng.chance(0.5)) await all((each) => each.blackhole())
    stepClock(stepMs)
  }
  const end = async () => {
    await all((each) => each.heal())
    stepClock(-stepMs)
  }
  return fault(`clock ${stepMs > 0 ? 'forward' : 'back'}`, rng.int(1_000, 6_000), begin, end)
}

/** Steps the clock. The preload of `npm run soak` (test/support/clock-steps.mjs) does this on the signal. */
function stepClock(stepMs: number): void {
  process.env.CLOCK_STEP_MS = String(stepMs)
  process.emit('SIGUSR2')
}

function fault(name: string, lastsMs: number, begin: () => unknown, end: () => Promise<void>): Fault {
  return { name, member: null, lastsMs, begin, end }
}
