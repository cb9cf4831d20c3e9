import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Interfaces } from '@oclif/core'
import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { planAdmin } from '../cli/flags/admin.js'
import { cacheFlags, placeFlags } from '../cli/flags/base.js'
import { argument, refuseIdle } from '../cli/flags/custom.js'
import { planServices, type ServedQuery, xdsFlags } from '../cli/flags/xds.js'
import { LogFile } from '../cli/output/log-file.js'
import { StopSignals, untilAborted } from '../cli/stop-signals.js'
import { hasHungUp } from '../cli/terminal/hang-up.js'
import { jsonLine, prettyJsonLines } from '../cli/terminal/visible.js'
import { bootstrapOf } from '../cli/xds/bootstrap.js'
import { ClientLog } from '../cli/xds/client-log.js'
import { type XdsDoc, xdsDoc } from '../cli/xds/document.js'
import { XdsView } from '../cli/xds/view.js'
import { DiscoError } from '../domain/errors.js'
import { readListenerTls, requirePair } from '../net/listener-tls.js'
import type { Registry } from '../registry/registry.js'
import type { ListenerCredentials } from '../xds/credentials.js'
import type { ListSource } from '../xds/service-lists.js'
import type { XdsServer } from '../xds/xds-server.js'

type XdsFlags = Interfaces.InferredFlags<typeof XdsCommand.flags>

/** How long the first lists are waited for before the control plane is reported as started; it serves meanwhile. */
const SETTLE_MS = 5_000

const POLL_MS = 20

/** How long a client may take to accept or reject a response. Real ones do so at once. */
const ANSWER_MS = 60_000

export default class XdsCommand extends DiscoCommand {
  static override summary = 'Run an xDS control plane: gRPC clients in any language balance by the registry'
  static override description =
    'Serves services of the registry by xDS (ADS, version 3) to gRPC clients that dial xds:///SERVICE: each endpoint with the weight that gives its share, drained ones left out, host names resolved. Clients call endpoints directly, and keep the last state while this is away. Without SERVICE, all services are served. Rejections by clients are printed with their reason. SIGTERM or Ctrl-C ends it. SIGHUP reads certificates again.'
  static override usage = '<%= command.id %> [SERVICE...] [FLAGS]'
  static override examples = [
    '<%= config.bin %> xds',
    '<%= config.bin %> xds hello --listen 127.0.0.1:18000',
    '<%= config.bin %> xds --bootstrap > bootstrap.json',
    '<%= config.bin %> xds hello --canary version=2.0.0 --listen :18001',
  ]
  static override strict = false
  static override args = {
    service: argument({ description: 'services, or targets such as etcd:///hello; all without one' }),
  }
  static override flags = { ...xdsFlags, ...cacheFlags, ...placeFlags }

  async run(): Promise<void> {
    this.output.ignoreFailures()
    const parsed = await this.parse(XdsCommand)
    const { argv, flags } = parsed
    if (flags.bootstrap) {
      refuseIdle(parsed, BOOTSTRAP_IDLE, 'with --bootstrap')
      this.printBootstrap(argv as string[], flags)
      return
    }
    // A watch of all services has no list of its own on disk.
    if (argv.length === 0) refuseIdle(parsed, ['cache', 'cache-max-age'], 'without a SERVICE')
    const queries = await planServices(argv as string[], (layout) => this.place(flags, layout))
    const adminPlan = await planAdmin(flags)
    const files = listenerFiles(flags)
    const tls = await readListenerTls(files)
    const canary = flags.canary ?? null
    using stop = new StopSignals(['SIGINT', 'SIGTERM'])
    const registry = await this.openRegistry(flags, this.cacheOptions(flags))
    const [{ XdsServer }, { ListenerCredentials }, { XdsMetrics }, { xdsAdmin }, { startAdmin }] =
      await Promise.all([
        import('../xds/xds-server.js'),
        import('../xds/credentials.js'),
        import('../xds/metrics.js'),
        import('../xds/admin.js'),
        import('../net/admin/server.js'),
      ])
    const view = new XdsView(this.palette(flags, process.stderr), (line) => this.remark(line))
    const metrics = new XdsMetrics()
    const file = flags.log === undefined ? null : LogFile.open(flags.log, 'log', (text) => view.problem(text))
    const log = file && new ClientLog(file, () => new Date())
    const credentials = new ListenerCredentials(tls)
    const server = await XdsServer.start({
      sources: sourcesOf(registry, queries),
      listen: flags.listen,
      credentials,
      canary,
      instance: randomBytes(3).toString('hex'),
      answerMs: ANSWER_MS,
      random: Math.random,
      observer: {
        opened: (stream) => log?.opened(stream),
        subscribedUnknown: (stream, unknown, known) => {
          metrics.subscribedUnknown(unknown)
          view.subscribedUnknown(stream, unknown, known)
        },
        responded: (_, type) => metrics.responded(type),
        answered: (stream, answer) => {
          metrics.answered(answer.type, answer.rejection)
          log?.answered(stream, answer)
          view.answered(stream, answer)
        },
        closed: (stream, reason) => {
          metrics.closed(reason)
          log?.closed(stream, reason)
          if (reason !== null && !stop.once.aborted) view.closed(stream, reason)
        },
        stale: (service, cause, cachedAgeMs, problem) => view.stale(service, cause, cachedAgeMs, problem),
        built: (service, assignment) => view.built(service, assignment),
      },
    })
    await using admin = adminPlan
      ? await startAdmin(adminPlan, xdsAdmin({ server, metrics, token: adminPlan.token })).catch(
          async (error: unknown) => {
            await server.close()
            throw error
          },
        )
      : null
    if (admin) this.remark(`→ admin handler on http://${admin.address}`)
    let renewed = Promise.resolve()
    const renew = () => {
      if (hasHungUp()) return stop.end()
      file?.reopen()
      // One after the other, so that the files that were read last stand.
      renewed = renewed.then(() => this.renew(files, credentials, view))
    }
    process.on('SIGHUP', renew)
    await settled(server, stop.once)
    this.show(xdsDoc(server, tls !== null, canary), server.problem, view, flags)
    await untilAborted(stop.once)
    process.off('SIGHUP', renew)
    await server.close()
    await file?.close()
  }

  private show(doc: XdsDoc, problem: string | null, view: XdsView, flags: BaseFlags): void {
    if (this.format(flags) === 'json') this.out(jsonLine(doc))
    else view.started(doc, problem)
  }

  private printBootstrap(services: readonly string[], flags: XdsFlags): void {
    if (services.length > 0) {
      throw new DiscoError('USAGE', `--bootstrap takes no service: "${services[0]}"`, {
        suggestions: ['The file is the same for all services: a client names its own as xds:///hello'],
      })
    }
    if (flags.listen.port === 0) {
      throw new DiscoError(
        'USAGE',
        '--bootstrap needs the port at which clients will reach the control plane',
      )
    }
    const isTls = requirePair(listenerFiles(flags))
    const bootstrap = bootstrapOf({ listen: flags.listen, isTls, hostname: hostname() })
    for (const lines of prettyJsonLines(bootstrap)) this.out(lines)
    if (flags['listen-client-ca'] !== undefined) {
      this.remark(
        '! --listen-client-ca: clients need certificates of their own, which this file does not name (docs/xds.md)',
      )
    }
  }

  private async renew(
    files: ReturnType<typeof listenerFiles>,
    credentials: ListenerCredentials,
    view: XdsView,
  ): Promise<void> {
    try {
      const tls = await readListenerTls(files)
      if (tls) credentials.renew(tls)
      view.renewed()
    } catch (thrown) {
      view.problem(`The certificates stay as they were: ${DiscoError.from(thrown).message}`)
    }
  }
}

/** Flags that a bootstrap file does not depend on. */
const BOOTSTRAP_IDLE = ['canary', 'log', 'admin', 'admin-token-file', 'layout', 'root', 'cache-max-age']

function listenerFiles(flags: XdsFlags) {
  return {
    caFile: flags['listen-client-ca'],
    certFile: flags['listen-cert'],
    keyFile: flags['listen-key'],
  }
}

/** Without a service: a single watch of the whole registry. */
function sourcesOf(registry: Registry, queries: readonly ServedQuery[]): readonly ListSource[] {
  if (queries.length > 0)
    return queries.map((query) => ({ discovery: registry, query, service: query.service }))
  const whole = {
    watch: (_: unknown, signal: AbortSignal) => registry.follow(undefined, signal),
  }
  return [{ discovery: whole, query: { service: '' }, service: null }]
}

/** Until all lists are known, so that the first lines say what is served. */
async function settled(server: XdsServer, stop: AbortSignal): Promise<void> {
  const endMs = performance.now() + SETTLE_MS
  while (server.problem !== null && !stop.aborted && performance.now() < endMs) await delay(POLL_MS)
}
