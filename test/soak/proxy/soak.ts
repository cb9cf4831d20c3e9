import { setTimeout as delay } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { Rng } from '../../fuzz/rng.js'
import { type MemorySample, ProxySite } from './site.js'
import { type Failure, ProxyTraffic } from './traffic.js'

const SAMPLE_PERIOD_MS = 10_000
/** Maximum time in milliseconds from a SIGKILL to the end of the calls at the killed server. */
const KILLED_MS = 30_000
const MAX_PROBLEMS = 50

export interface ProxySoaked {
  readonly disturbances: ReadonlyMap<string, number>
  /** Number of successful calls by kind. */
  readonly done: Readonly<Record<string, number>>
  /** Number of calls that were outstanding at a server when it was killed. */
  readonly lostAtKilled: number
  readonly replays: number
  readonly memory: readonly MemorySample[]
  /** Found problems; empty if the soak passed. */
  readonly problems: readonly string[]
}

/**
 * Runs calls of all kinds through a proxy, while its servers restart, are killed and change their weights, and etcd
 * freezes.
 */
export async function soakProxy(seed: number, minutes: number): Promise<ProxySoaked> {
  await using site = await ProxySite.start()
  return await new ProxySoak(new Rng(seed), site).run(minutes * 60_000)
}

class ProxySoak {
  private readonly disturbances = new Map<string, number>()
  private readonly problems: string[] = []
  private readonly killed: { readonly addr: string; readonly atMs: number }[] = []
  private lostAtKilled = 0

  constructor(
    private readonly rng: Rng,
    private readonly site: ProxySite,
  ) {}

  async run(durationMs: number): Promise<ProxySoaked> {
    const { site } = this
    const traffic = new ProxyTraffic(site.doc.listen, this.rng, (failure) => this.explain(failure))
    const memory: MemorySample[] = []
    const startMs = performance.now()
    let sampledMs = 0
    while (performance.now() - startMs < durationMs) {
      await this.disturb()
      await delay(this.rng.int(500, 3_000))
      const atMs = performance.now() - startMs
      if (atMs - sampledMs < SAMPLE_PERIOD_MS) continue
      sampledMs = atMs
      memory.push(await site.sample(atMs))
    }
    await traffic.end()
    const replays = await site.metric('disco_proxy_replays_total')
    await this.lookAtTheEnd()
    const { disturbances, lostAtKilled, problems } = this
    return { disturbances, done: traffic.done, lostAtKilled, replays, memory, problems }
  }

  private async disturb(): Promise<void> {
    const { rng, site } = this
    const [first, ...more] = site.servers
    if (!first) throw new Error('there are no servers')
    const server = rng.pick([first, ...more])
    const [name, act] = rng.weighted<readonly [string, () => Promise<void>]>([
      [6, ['weight', () => site.setWeight(server, rng.int(0, 10))]],
      [3, ['restart', () => server.restart()]],
      [
        1,
        [
          'kill',
          async () => {
            this.killed.push({ addr: server.addr, atMs: performance.now() })
            await server.kill()
            await delay(rng.int(0, 1_000))
            await server.revive()
          },
        ],
      ],
      [
        1,
        [
          'etcd frozen',
          async () => {
            site.etcd.pause()
            await delay(rng.int(1_000, 8_000))
            site.etcd.resume()
          },
        ],
      ],
      [1, ['SIGHUP', async () => site.renew()]],
    ])
    this.disturbances.set(name, (this.disturbances.get(name) ?? 0) + 1)
    await act()
    if (name !== 'weight') await site.untilWhole()
  }

  /** Classifies a failure. Only calls at a killed server may fail, with UNAVAILABLE and its address. */
  private explain({ kind, atMs, code, details }: Failure): void {
    const isLost = this.killed.some(
      (kill) =>
        code === status.UNAVAILABLE &&
        details.startsWith(`${kill.addr}: `) &&
        atMs >= kill.atMs &&
        atMs - kill.atMs < KILLED_MS,
    )
    if (isLost) this.lostAtKilled++
    else if (this.problems.length < MAX_PROBLEMS) this.problems.push(`${kind}: ${code} ${details}`)
  }

  /** Checks that no call is outstanding at the end, and that the proxy exits with 0. */
  private async lookAtTheEnd(): Promise<void> {
    const { site, problems } = this
    for (const name of ['disco_proxy_calls', 'disco_proxy_outstanding', 'disco_proxy_connections']) {
      for (let looks = 0; looks < 50 && (await site.metric(name)) > 0; looks++) await delay(100)
      const left = await site.metric(name)
      if (left > 0) problems.push(`${name} is ${left} after the last call: ${await site.endpoints()}`)
    }
    site.proxy.child.kill('SIGTERM')
    const { code, stderr } = await site.proxy.exited()
    if (code !== 0) problems.push(`the proxy ended with ${code}: ${stderr.slice(-1_000)}`)
  }
}
