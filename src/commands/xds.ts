import { hostname } from 'node:os'
import { DiscoCommand } from '../cli/base-command.js'
import { planAdmin } from '../cli/flags/admin.js'
import { cacheFlags, placeFlags } from '../cli/flags/base.js'
import { argument, refuseIneffective } from '../cli/flags/custom.js'
import { listenerTlsFiles, listenerTlsNames } from '../cli/flags/listen.js'
import { planServices, xdsFlags } from '../cli/flags/xds.js'
import { StopSignals } from '../cli/stop-signals.js'
import { bootstrapFor } from '../cli/xds/bootstrap.js'
import { sourcesOf } from '../cli/xds/sources.js'
import { XdsView } from '../cli/xds/view.js'
import { AUTO } from '../domain/layouts/reader.js'
import { readListenerTls, requirePair } from '../net/listener-tls.js'

/** Flags without effect on a bootstrap file. */
const BOOTSTRAP_IDLE = ['canary', 'log', 'admin', 'admin-token-file', 'layout', 'root', 'cache-max-age']

export default class XdsCommand extends DiscoCommand {
  static override summary = 'Run an xDS control plane: gRPC clients in any language balance by the registry'
  static override description =
    'Serves services of the registry by xDS (ADS, version 3) to gRPC clients that dial xds:///SERVICE: each endpoint with the weight that gives its share, drained ones left out, host names resolved. Clients call endpoints directly, and keep the last state while the control plane is away. Without SERVICE, all services are served. Rejections by clients are printed with their reason. SIGTERM or Ctrl-C ends it. SIGHUP reads certificates again.'
  static override usage = '<%= command.id %> [SERVICE...] [FLAGS]'
  static override examples = [
    '<%= config.bin %> xds',
    '<%= config.bin %> xds hello --listen 127.0.0.1:18000',
    '<%= config.bin %> xds --bootstrap > bootstrap.json',
    '<%= config.bin %> xds hello --canary version=2.0.0 --listen :18001',
  ]
  static override strict = false
  static override readonly takesSeveral = true
  static override args = {
    service: argument({ description: 'services, or targets such as etcd:///hello; all without one' }),
  }
  static override flags = { ...xdsFlags, ...cacheFlags, ...placeFlags }

  async run(): Promise<void> {
    this.output.ignoreFailures()
    const parsed = await this.parse(XdsCommand)
    const { flags } = parsed
    const targets = parsed.argv as string[]
    const tlsNames = listenerTlsNames(flags)
    const isTls = requirePair(tlsNames)
    if (flags.bootstrap) {
      refuseIneffective(parsed, BOOTSTRAP_IDLE, 'with --bootstrap')
      const doc = bootstrapFor(targets, { listen: flags.listen, isTls, hostname: hostname() })
      for (const lines of this.writer(flags).documentLines(doc)) this.out(lines)
      if (tlsNames.caFile !== undefined) this.remark(`! ${CLIENT_CERTIFICATES}`)
      return
    }
    const files = await listenerTlsFiles(tlsNames)
    // The cache on disk has lists of single services, not of all services together.
    if (targets.length === 0) refuseIneffective(parsed, ['cache', 'cache-max-age'], 'without a SERVICE')
    const queries = await planServices(targets, (layout) => this.commonPlace(flags, layout))
    const admin = await planAdmin(flags)
    const readTls = () => readListenerTls(files)
    const tls = await readTls()
    using stop = new StopSignals(['SIGINT', 'SIGTERM'])
    const opened = await this.openDiscovery(flags, (place) => place(AUTO), this.cacheOptions(flags))
    const [{ serve }, { whyAbsent }, { startAdmin }] = await Promise.all([
      import('../cli/xds/serve.js'),
      import('../cli/xds/absences.js'),
      import('../net/admin/server.js'),
    ])
    const view = new XdsView(this.palette(flags, process.stderr), (line) => this.remark(line))
    await serve(
      {
        sources: await sourcesOf(opened, queries, flags.context?.text),
        whyAbsent: ({ query }) => whyAbsent(opened, query),
        listen: flags.listen,
        canary: flags.canary ?? null,
        tls,
        readTls,
        admin: admin && { token: admin.token, start: (handler) => startAdmin(admin, handler) },
        log: flags.log ?? null,
      },
      {
        view,
        started: (doc, problem) => {
          if (this.format(flags) === 'json') this.out(this.writer(flags).line(doc))
          else view.started(doc, problem)
        },
      },
      stop,
    )
  }
}

const CLIENT_CERTIFICATES =
  '--listen-client-ca: clients need certificates of their own, which this file does not name (docs/xds.md)'
