import { seeded } from '../../domain/rng.js'
import type { Observer } from '../../grpc/resolver/observer.js'
import type { Policy } from '../../policies/index.js'
import type { CallEnd } from '../../proxy/call.js'
import type { ProxyServer } from '../../proxy/proxy-server.js'
import type { Palette } from '../terminal/color.js'
import { type Content, LiveScreen } from '../terminal/live-screen.js'
import type { NonBlockingTerminal } from '../terminal/non-blocking-terminal.js'
import { cropTable, ROWS_BESIDES_TABLE, type Size, sizeOf } from '../terminal/screen.js'
import { count } from '../terminal/units.js'
import { renderTarget } from './table.js'
import { TargetTraffic } from './traffic.js'

type Service = ProxyServer['services'][number]

const PAINT_PERIOD_MS = 1_000

/** The seed of a verdict's random numbers: equal counts always give the same verdict. */
const SEED = 1

/** A proxy on a terminal: each target's shares against expectation and the verdict, above a log. */
export class ProxyScreen {
  /** In the order of the proxy's targets. */
  private readonly traffic: TargetTraffic[] = []
  private readonly byService = new Map<Service, TargetTraffic>()
  private readonly rates = new Map<TargetTraffic, Rate>()
  private readonly screen: LiveScreen
  private readonly timer: NodeJS.Timeout
  private proxy: ProxyServer | null = null
  /** The content to show after `freeze`; null before. */
  private frozen: Content | null = null

  constructor(
    private readonly policy: Policy,
    private readonly palette: Palette,
    private readonly terminal: NonBlockingTerminal,
  ) {
    this.screen = new LiveScreen((size) => this.draw(size), { output: terminal })
    this.timer = setInterval(() => this.screen.paint(), PAINT_PERIOD_MS)
    this.screen.paint()
  }

  /** Returns an observer that counts the traffic of a target. Call it once for each target, in the proxy's order. */
  observer(): Observer {
    const traffic = new TargetTraffic(
      this.policy.shares,
      () => new Date(),
      () => seeded(SEED),
    )
    this.traffic.push(traffic)
    return traffic.observer
  }

  ended(end: CallEnd): void {
    if (end.service) this.byService.get(end.service)?.ended(end)
  }

  /** Shows the proxy, after it has started. */
  show(proxy: ProxyServer): void {
    this.proxy = proxy
    for (const [at, traffic] of this.traffic.entries()) {
      const service = proxy.services[at]
      if (service) this.byService.set(service, traffic)
    }
    this.screen.paint()
  }

  /** Keeps the current content, after the last call has ended. */
  freeze(): void {
    this.frozen = this.draw(sizeOf(process.stdout))
  }

  /** Adds a line to the log, with the time. */
  add(line: string): void {
    const time = new Date().toTimeString().slice(0, 8)
    this.screen.add(`${this.palette.dim(time)}  ${line}`)
  }

  /** Leaves the last tables and the log on the terminal. */
  async close(): Promise<void> {
    clearInterval(this.timer)
    const size = sizeOf(process.stdout)
    const { title, table } = this.draw(size)
    const { log } = this.screen
    const whole = [title, ...cropTable(table, size.rows - ROWS_BESIDES_TABLE), '', ...log]
    await this.terminal.end(this.screen.leave(this.proxy ? whole : log))
  }

  private draw({ rows }: Size): Content {
    const { proxy, palette } = this
    if (this.frozen) return this.frozen
    const legend = palette.dim('Ctrl-C: finish the calls, end. Twice: now.')
    if (!proxy) return { title: 'proxy  starting', table: { lines: [], hidden: 0 }, legend }
    const looks = { policy: this.policy.name, most: rows }
    const targets = [...this.byService].map(([service, traffic]) =>
      renderTarget(service, traffic, { ...looks, perSecond: this.rateOf(traffic) }, palette),
    )
    return {
      title: this.title(proxy),
      table: {
        lines: targets.flatMap(({ lines }, at) => (at === 0 ? lines : ['', ...lines])),
        hidden: targets.reduce((sum, { hidden }) => sum + hidden, 0),
      },
      legend,
    }
  }

  private title({ address, connections }: ProxyServer): string {
    const { name } = this.policy
    const starts = this.traffic.map(({ since }) => since.getTime())
    const since = new Date(Math.max(...starts)).toTimeString().slice(0, 8)
    return [`proxy ${address}`, name, count(connections, 'connection'), `since ${since}`].join(' · ')
  }

  private rateOf(traffic: TargetTraffic): number {
    const rate = this.rates.get(traffic) ?? new Rate()
    this.rates.set(traffic, rate)
    return rate.at(traffic.calls, performance.now())
  }
}

/** Calls per second, measured over about the last second. */
class Rate {
  private last = { calls: 0, atMs: performance.now() }
  private perSecond = 0

  at(calls: number, nowMs: number): number {
    const elapsedMs = nowMs - this.last.atMs
    if (elapsedMs < PAINT_PERIOD_MS * 0.9) return this.perSecond
    this.perSecond = (Math.max(0, calls - this.last.calls) * 1_000) / elapsedMs
    this.last = { calls, atMs: nowMs }
    return this.perSecond
  }
}
