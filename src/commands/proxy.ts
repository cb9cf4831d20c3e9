import type { Interfaces } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { type AdminPlan, planAdmin } from '../cli/flags/admin.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { cacheFlags, placeFlags } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { listenerTlsFiles, listenerTlsNames } from '../cli/flags/listen.js'
import { healthFlag, policyFlags, policyForKeyedCalls } from '../cli/flags/policy.js'
import { planRoutes, proxyFlags } from '../cli/flags/proxy.js'
import { tlsFiles, tlsFlags, wantsTls } from '../cli/flags/tls.js'
import { isForPeople } from '../cli/output/format.js'
import type { ProxyDoc } from '../cli/proxy/document.js'
import type { ProxyScreen } from '../cli/proxy/screen.js'
import { ProxyView } from '../cli/proxy/view.js'
import type { AdminService } from '../cli/serving.js'
import { StopSignals } from '../cli/stop-signals.js'
import { AUTO } from '../domain/layouts/reader.js'
import type { Policy } from '../policies/index.js'
import type { Certificates } from '../proxy/certificates.js'

type ProxyFlags = Interfaces.InferredFlags<typeof ProxyCommand.flags>

export default class ProxyCommand extends DiscoCommand {
  static override summary = 'Run a gRPC load balancer in front of services, for clients in any language'
  static override description =
    'Takes gRPC calls at one address and sends each to the endpoint that the LB policy picks for it, with the same resolver, policies and health checks as disco call. On a terminal it shows the shares of the calls against the weights, with a verdict. Bytes pass through: all kinds of calls, metadata, compression, deadlines. A call that an endpoint has certainly not begun to process is sent to another. The headers disco-hash-key and disco-pin carry a hash key and a pin. SIGTERM or Ctrl-C: GOAWAY, --drain, end; a second one ends at once. SIGHUP reads certificates again.'
  static override usage = '<%= command.id %> TARGET... [FLAGS]'
  static override examples = [
    '<%= config.bin %> proxy hello',
    '<%= config.bin %> proxy hello --policy least_request --health',
    '<%= config.bin %> proxy hello --listen 0.0.0.0:9000 --wait 5s',
    '<%= config.bin %> proxy --route shop.Users=users --route shop.Carts=carts',
  ]
  static override strict = false
  static override readonly takesSeveral = true
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

  private screen: ProxyScreen | null = null

  async run(): Promise<void> {
    this.output.ignoreFailures()
    const { argv, flags } = await this.parse(ProxyCommand)
    const place = (layout: string) => this.commonPlace(flags, layout)
    const { targets, rule } = planRoutes(argv as string[], flags, place)
    const policy = policyForKeyedCalls(flags)
    const adminPlan = await planAdmin(flags)
    const certificates = await this.certificates(flags)
    using stop = new StopSignals(['SIGINT', 'SIGTERM'])
    const { discovery } = await this.openDiscovery(flags, (place) => place(AUTO), this.cacheOptions(flags))
    this.screen = await this.openScreen(flags, policy)
    try {
      const { serve } = await import('../cli/proxy/serve.js')
      const view = new ProxyView(this.palette(flags, process.stderr), (line) => this.remark(line))
      const settings = {
        discovery,
        targets,
        route: rule,
        policy,
        healthService: flags.health ? '' : null,
        waitMs: flags.wait ?? 0,
        replayBytes: flags['replay-bytes'],
      }
      await serve(
        {
          settings,
          listen: flags.listen,
          connectionAgeMs: flags['max-connection-age'] ?? null,
          certificates,
          admin: adminPlan && adminService(adminPlan),
          accessLog: flags['access-log'] ?? null,
          drainMs: flags.drain,
        },
        {
          view,
          screen: this.screen,
          started: (doc) => this.show(doc, view, flags),
        },
        stop,
      )
    } finally {
      await this.screen?.close()
      this.screen = null
    }
    if (stop.twice.aborted) process.exitCode = 130
  }

  /** Adds the line to the screen, if there is one. If standard error is not a terminal, it gets the line as well. */
  protected override remark(line: string): void {
    this.screen?.add(line)
    if (!this.screen || !process.stderr.isTTY) super.remark(line)
  }

  /** Null if the output is JSON, or not a terminal. */
  private async openScreen(flags: BaseFlags, policy: Policy): Promise<ProxyScreen | null> {
    if (!isForPeople(this.format(flags)) || !process.stdout.isTTY || process.env.TERM === 'dumb') return null
    const [{ ProxyScreen }, { NonBlockingTerminal }] = await Promise.all([
      import('../cli/proxy/screen.js'),
      import('../cli/terminal/non-blocking-terminal.js'),
    ])
    const terminal = NonBlockingTerminal.open()
    return terminal && new ProxyScreen(policy, this.palette(flags), terminal)
  }

  private show(doc: ProxyDoc, view: ProxyView, flags: BaseFlags): void {
    const format = this.format(flags)
    if (format === 'json' || format === 'ndjson') this.out(this.writer(flags).line(doc))
    else if (!this.screen) view.started(doc)
  }

  private async certificates(flags: ProxyFlags): Promise<Certificates> {
    const [{ Certificates }, { requirePair }] = await Promise.all([
      import('../proxy/certificates.js'),
      import('../net/listener-tls.js'),
    ])
    const names = listenerTlsNames(flags)
    requirePair(names)
    return await Certificates.read({
      listener: await listenerTlsFiles(names),
      backend: wantsTls(flags) ? await tlsFiles(flags) : null,
      backendName: flags['tls-name'],
    })
  }
}

function adminService(plan: AdminPlan): AdminService {
  return {
    token: plan.token,
    start: async (handler) => (await import('../net/admin/server.js')).startAdmin(plan, handler),
  }
}
