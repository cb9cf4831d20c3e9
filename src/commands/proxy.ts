import { setTimeout as delay } from 'node:timers/promises'
import type { Interfaces } from '@oclif/core'
import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { planAdmin } from '../cli/flags/admin.js'
import { cacheFlags, placeFlags } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { healthFlag, policyFlags, policyOf } from '../cli/flags/policy.js'
import { planRoutes, proxyFlags } from '../cli/flags/proxy.js'
import { tlsFiles, tlsFlags, wantsTls } from '../cli/flags/tls.js'
import { AccessLog } from '../cli/proxy/access-log.js'
import { type ProxyDoc, proxyDoc } from '../cli/proxy/document.js'
import { ProxyView } from '../cli/proxy/view.js'
import { StopSignals } from '../cli/stop-signals.js'
import { jsonLine } from '../cli/terminal/visible.js'
import { MOST_TIMER_MS } from '../domain/duration.js'
import { DiscoError } from '../domain/errors.js'
import type { Certificates } from '../proxy/certificates.js'
import type { ProxyServer } from '../proxy/proxy-server.js'

type ProxyFlags = Interfaces.InferredFlags<typeof ProxyCommand.flags>

/** How long the first list and connections are waited for before the proxy is reported as started; it serves meanwhile. */
const SETTLE_MS = 5_000

const POLL_MS = 20

export default class ProxyCommand extends DiscoCommand {
  static override summary = 'Run a gRPC load balancer in front of services, for clients in any language'
  static override description =
    'Takes gRPC calls at one address and sends each to the endpoint that the LB policy picks for it, by the same resolver, policies and health as disco call. Bytes pass through: all kinds of calls, metadata, compression, deadlines. A call that an endpoint has certainly not begun with is sent to another. The headers disco-hash-key and disco-pin carry a hash key and a pin. SIGTERM or Ctrl-C: GOAWAY, --drain, end; a second one ends at once. SIGHUP reads certificates again.'
  static override usage = '<%= command.id %> TARGET... [FLAGS]'
  static override examples = [
    '<%= config.bin %> proxy hello',
    '<%= config.bin %> proxy hello --policy least_request --health',
    '<%= config.bin %> proxy hello --listen 0.0.0.0:9000 --wait 5s',
    '<%= config.bin %> proxy --route shop.Users=users --route shop.Carts=carts',
  ]
  static override strict = false
  static override args = {
    target: argument({ description: 'services, or targets such as etcd:///hello?version=1.0.0' }),
  }
  static override flags = {
    ...proxyFlags,
    ...policyFlags,
    health: healthFlag,
    ...tlsFlags,
    ...cacheFlags,
    ...placeFlags,
  }

  async run(): Promise<void> {
    this.output.ignoreFailures()
    const { argv, flags } = await this.parse(ProxyCommand)
    const place = (layout: string) => this.place(flags, layout)
    const { targets, rule } = planRoutes(argv as string[], flags, place)
    const policy = policyOf(flags)
    const adminPlan = await planAdmin(flags)
    const certificates = await this.certificates(flags)
    using stop = new StopSignals(['SIGINT', 'SIGTERM'])
    const registry = await this.openRegistry(flags, this.cacheOptions(flags))
    const [{ ProxyServer }, { ProxyMetrics }, { proxyAdmin }, { startAdmin }] = await Promise.all([
      import('../proxy/proxy-server.js'),
      import('../proxy/metrics.js'),
      import('../proxy/admin.js'),
      import('../net/admin/server.js'),
    ])
    const metrics = new ProxyMetrics()
    const view = new ProxyView(this.palette(flags, process.stderr), (line) => this.remark(line))
    const file = flags['access-log']
    const log = file === undefined ? null : new AccessLog(file, (sentence) => view.problem(sentence))
    const proxy = await ProxyServer.start({
      discovery: registry,
      listen: {
        ...flags.listen,
        tls: certificates.listener,
        connectionAgeMs: ageOf(flags['max-connection-age']),
      },
      targets,
      route: rule,
      policy,
      healthService: flags.health ? '' : null,
      dialerOf: (authority) => certificates.dialerOf(authority),
      waitMs: flags.wait ?? 0,
      replayBytes: flags['replay-bytes'],
      random: Math.random,
      observerOf: (target) => view.observer(target),
      ended: (end) => {
        metrics.count(end)
        log?.write(end, new Date())
      },
    })
    await using admin = adminPlan
      ? await startAdmin(adminPlan, proxyAdmin({ proxy, metrics, token: adminPlan.token })).catch(
          async (error: unknown) => {
            proxy.cut()
            await proxy.drain()
            throw error
          },
        )
      : null
    if (admin) this.remark(`→ admin handler on http://${admin.address}`)
    let renewed = Promise.resolve()
    const renew = () => {
      log?.reopen()
      // One after the other, so that the files that were read last stand.
      renewed = renewed.then(() => this.renew(proxy, certificates, view))
    }
    process.on('SIGHUP', renew)
    await settled(proxy, stop.once)
    this.show(proxyDoc(proxy, policy.name), view, flags)
    await untilAborted(stop.once)
    view.draining(proxy.calls, flags.drain)
    await drain(proxy, flags.drain, stop.twice)
    process.off('SIGHUP', renew)
    await log?.close()
    if (stop.twice.aborted) process.exitCode = 130
  }

  private show(doc: ProxyDoc, view: ProxyView, flags: BaseFlags): void {
    if (this.format(flags) === 'json') this.out(jsonLine(doc))
    else view.started(doc)
  }

  private async certificates(flags: ProxyFlags): Promise<Certificates> {
    const { Certificates } = await import('../proxy/certificates.js')
    return await Certificates.read({
      listener: {
        caFile: flags['listen-client-ca'],
        certFile: flags['listen-cert'],
        keyFile: flags['listen-key'],
      },
      backend: wantsTls(flags) ? await tlsFiles(flags) : null,
      backendName: flags['tls-name'],
    })
  }

  private async renew(proxy: ProxyServer, certificates: Certificates, view: ProxyView): Promise<void> {
    try {
      await certificates.refresh()
      if (certificates.listener) proxy.renew(certificates.listener)
      view.renewed()
    } catch (thrown) {
      view.problem(`The certificates stay as they were: ${DiscoError.from(thrown).message}`)
    }
  }
}

/** Drawn for each connection, so that those made together do not end together. */
function ageOf(ageMs: number | undefined): () => number | null {
  return () => (ageMs === undefined ? null : Math.min(MOST_TIMER_MS, ageMs * (0.9 + Math.random() * 0.2)))
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
