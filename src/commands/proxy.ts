import { setTimeout as delay } from 'node:timers/promises'
import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { cacheFlags, placeFlags } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { listenFlag } from '../cli/flags/listen.js'
import { healthFlag, policyFlags, policyOf } from '../cli/flags/policy.js'
import { sizeFlag } from '../cli/flags/size.js'
import { type ProxyDoc, proxyDoc } from '../cli/proxy/document.js'
import { ProxyView } from '../cli/proxy/view.js'
import { StopSignals } from '../cli/stop-signals.js'
import { jsonLine } from '../cli/terminal/visible.js'
import type { ProxyServer } from '../proxy/proxy-server.js'

/** How long the first list and connections are waited for before the proxy is reported as started; it serves meanwhile. */
const SETTLE_MS = 5_000

const POLL_MS = 20

export default class ProxyCommand extends DiscoCommand {
  static override summary = 'Run a gRPC load balancer in front of a service, for clients in any language'
  static override description =
    'Takes gRPC calls at one address and sends each to the endpoint that the LB policy picks for it, by the same resolver, policies and health as disco call. Bytes pass through: all kinds of calls, metadata, compression, deadlines. A call that an endpoint has certainly not begun with is sent to another. SIGTERM or Ctrl-C: GOAWAY, --drain, end; a second one ends at once.'
  static override examples = [
    '<%= config.bin %> proxy hello',
    '<%= config.bin %> proxy hello --policy least_request --health',
    '<%= config.bin %> proxy hello --listen 0.0.0.0:9000 --wait 5s',
  ]
  static override args = {
    target: argument({
      required: true,
      description: 'a service, or a target such as etcd:///hello?version=1.0.0',
    }),
  }
  static override flags = {
    listen: listenFlag({
      default: { host: '127.0.0.1', port: 9000 },
      description: 'where to take calls; without a host, from this machine only',
    }),
    wait: waitFlag({
      allowsZero: true,
      default: 0,
      description: 'how long a call waits where no endpoint is READY, instead of failing with UNAVAILABLE',
    }),
    'replay-bytes': sizeFlag({
      default: 256 * 2 ** 10,
      description: 'the longest request that is kept to be sent again',
    }),
    drain: waitFlag({
      allowsZero: true,
      default: 10_000,
      description: 'how long calls may take to finish when the proxy ends',
    }),
    ...policyFlags,
    health: healthFlag,
    ...cacheFlags,
    ...placeFlags,
  }

  async run(): Promise<void> {
    this.output.ignoreFailures()
    const { args, flags } = await this.parse(ProxyCommand)
    const policy = policyOf(flags)
    using stop = new StopSignals()
    const registry = await this.openRegistry(flags, this.cacheOptions(flags))
    const [{ ProxyServer }, { PLAINTEXT }] = await Promise.all([
      import('../proxy/proxy-server.js'),
      import('../proxy/dial.js'),
    ])
    const view = new ProxyView(this.palette(flags, process.stderr), (line) => this.remark(line))
    const proxy = await ProxyServer.start({
      discovery: registry,
      listen: { ...flags.listen, tls: null, connectionAgeMs: () => null },
      targets: [args.target],
      route: null,
      policy,
      healthService: flags.health ? '' : null,
      dialer: PLAINTEXT,
      waitMs: flags.wait,
      replayBytes: flags['replay-bytes'],
      random: Math.random,
      observerOf: (target) => view.observer(target),
    })
    await settled(proxy, stop.once)
    this.show(proxyDoc(proxy, policy.name), view, flags)
    await untilAborted(stop.once)
    view.draining(proxy.calls, flags.drain)
    await drain(proxy, flags.drain, stop.twice)
    if (stop.twice.aborted) process.exitCode = 130
  }

  private show(doc: ProxyDoc, view: ProxyView, flags: BaseFlags): void {
    if (this.format(flags) === 'json') this.out(jsonLine(doc))
    else view.started(doc)
  }
}

/** Until all endpoints are READY or were not reached, so that the first line says how they stand. */
async function settled(proxy: ProxyServer, stop: AbortSignal): Promise<void> {
  const endMs = performance.now() + SETTLE_MS
  while (!proxy.isSettled && !stop.aborted && performance.now() < endMs) await delay(POLL_MS)
}

async function drain(proxy: ProxyServer, drainMs: number, now: AbortSignal): Promise<void> {
  const drained = proxy.drain()
  const over = new AbortController()
  const late = delay(drainMs, undefined, { signal: over.signal }).catch(() => undefined)
  await Promise.race([drained, late, untilAborted(now)])
  over.abort()
  proxy.cut()
  await drained
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
