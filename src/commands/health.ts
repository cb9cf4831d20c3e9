import { Flags } from '@oclif/core'
import type { SurveyOptions } from '../agent/health/survey.js'
import { DiscoCommand } from '../cli/base-command.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { placeFlags } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { accessFlags, accessOf } from '../cli/flags/probe.js'
import { filterFlags, readScope, refuseRegistryFlags, type Scope, staticTarget } from '../cli/flags/target.js'
import {
  type HealthDoc,
  type HealthsDoc,
  healthDoc,
  healthEventDoc,
  healthsDoc,
} from '../cli/health/document.js'
import { HealthLog, renderHealth } from '../cli/health/table.js'
import { isForPeople } from '../cli/output/format.js'
import { probingLine } from '../cli/output/progress.js'
import { StopSignals } from '../cli/stop-signals.js'
import { count } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { type Endpoint, endpointId } from '../domain/endpoint.js'
import { isUnfiltered, requireChosen } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import type { EndpointList, Registry } from '../registry/registry.js'

export default class Health extends DiscoCommand {
  static override summary = 'Ask every endpoint of a service for its health'
  static override description =
    'Checks all of them at once by grpc.health.v1. A server without it counts as healthy if it accepts gRPC connections. Exits 7 if one is not healthy. -l, --host and addresses select endpoints, of all services if none is given. --watch repeats the check and prints changes.'
  static override examples = [
    '<%= config.bin %> health hello',
    '<%= config.bin %> health hello --watch',
    '<%= config.bin %> health hello -l version=2.0.0',
    '<%= config.bin %> health --host 10.0.0.5',
    '<%= config.bin %> health dns:///localhost:1001',
  ]
  static override usage = '<%= command.id %> [TARGET] [ADDR...] [FLAGS]'
  static override args = {
    target: argument({
      multiple: true,
      description:
        'a service, or a target: etcd:///SERVICE, etcd://VERSION/SERVICE, HOST:PORT, dns:///…, ipv4:…, unix:…; then addresses of endpoints of a service, or their etcd keys',
    }),
  }
  static override flags = {
    watch: Flags.boolean({ description: 'repeat the check, and print changes' }),
    of: Flags.string({
      default: '',
      helpValue: 'package.Service',
      description: 'the gRPC service to ask about, instead of the server as a whole',
    }),
    'probe-timeout': waitFlag({
      default: 2_000,
      description: 'limit of each check',
    }),
    ...filterFlags,
    ...accessFlags,
    ...placeFlags,
  }

  async run(): Promise<HealthDoc | HealthsDoc | undefined> {
    const { args, flags, metadata } = await this.parse(Health)
    const [target, ...addrs] = args.target ?? []
    const options = { service: flags.of, deadlineMs: flags['probe-timeout'], ...(await accessOf(flags)) }
    const uri = target === undefined ? null : await staticTarget(target)
    if (target !== undefined && uri !== null) {
      using stop = new StopSignals()
      refuseRegistryFlags({ flags, metadata }, target)
      if (flags.watch)
        throw new DiscoError('USAGE', `--watch follows a registry, but ${target} is not in one`)
      const [addr] = addrs
      if (addr !== undefined) {
        const message = `${addr} cannot select endpoints of ${target}: they are not in a registry`
        throw new DiscoError('USAGE', message, { suggestions: [`Try: disco health ${addr}`] })
      }
      const resolved = await this.resolved(uri, stop.once)
      return await this.ask({ service: target, ...resolved }, options, flags, stop.once)
    }
    const scope = await readScope({
      command: 'health',
      target,
      addrs,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    const { service, filter } = scope
    const registry = await this.openScope(flags, scope)
    if (flags.watch) {
      using stop = new StopSignals()
      return await this.watch(registry, scope, options, flags, stop.once)
    }
    // Until the list is read there is nothing to report, and a signal ends the process at once.
    const { revision, endpoints } = await (service === undefined
      ? registry.list()
      : registry.listExisting(service))
    const { endpointsOfServices } = await import('../registry/service-summary.js')
    const readable = endpointsOfServices(endpoints, service)
    const chosen =
      service !== undefined || !isUnfiltered(filter) ? requireChosen(filter, readable, service) : readable
    using stop = new StopSignals()
    return await this.ask({ service, revision, endpoints: chosen }, options, flags, stop.once)
  }

  /** The endpoints of a target without a registry, all of the same weight. */
  private async resolved(target: string, stopped: AbortSignal): Promise<HealthList> {
    const { install } = await import('../grpc/install.js')
    const { resolveTarget } = await import('../grpc/resolver/resolve.js')
    install()
    const { endpoints } = await resolveTarget(target, stopped)
    return { revision: 0, endpoints: endpoints.map(({ registration }) => registration) }
  }

  private async ask(
    { service, ...asked }: HealthList & { readonly service: string | undefined },
    options: SurveyOptions,
    flags: BaseFlags,
    stopped: AbortSignal,
  ): Promise<HealthDoc | HealthsDoc> {
    const { surveyHealth } = await import('../agent/health/survey.js')
    const byId = await surveyHealth(asked.endpoints, options, stopped, probingLine(this.progressLine))
    const doc =
      service === undefined
        ? healthsDoc(asked.revision, byService(asked.endpoints), byId)
        : healthDoc(service, asked, byId)
    const all = asked.endpoints.length
    if (stopped.aborted) process.exitCode = 130
    else if (doc.healthy < all) process.exitCode = 7
    const docs = 'services' in doc ? doc.services : [doc]
    this.print(flags, doc, {
      table: (palette, wide) => renderHealth(docs, palette, { wide, withService: service === undefined }),
      lines: () =>
        docs.flatMap(({ service, rev, endpoints }) =>
          endpoints.map((endpoint) => ({ schema: 'disco.endpoint-health/v1', service, rev, ...endpoint })),
        ),
      names: () =>
        docs.flatMap(({ endpoints }) => endpoints.filter(({ healthy }) => healthy).map(({ addr }) => addr)),
    })
    this.remark(
      `${doc.healthy} of ${count(all, 'endpoint')} healthy${doc.rev === null ? '' : ` (rev ${doc.rev})`}`,
    )
    return doc
  }

  /** NDJSON when piped, as in `watch`; otherwise one line per change. */
  private async watch(
    registry: Registry,
    scope: Scope<string | undefined>,
    options: SurveyOptions,
    flags: BaseFlags,
    stopped: AbortSignal,
  ): Promise<undefined> {
    const { followHealth } = await import('../agent/health/follow.js')
    const format = this.format(flags, process.stdout.isTTY ? 'table' : 'ndjson')
    const writer = this.writer(flags)
    const log = new HealthLog(this.palette(flags))
    const onEtcd = (outage: DiscoError | null) => this.remark(etcdRemark(outage))
    this.output.interruptBy(stopped)
    const signal = AbortSignal.any([stopped, this.output.ended])
    for await (const { endpoint, checked } of followHealth(registry, scope, options, onEtcd, signal)) {
      const asked = new Map(checked ? [[endpointId(endpoint), checked] as const] : [])
      const { service } = endpoint
      const [doc] = healthDoc(service, { revision: 0, endpoints: [endpoint] }, asked).endpoints
      if (!doc) continue
      const event = checked ? healthEventDoc(service, doc) : healthEventDoc(service, doc, 'gone')
      if (isForPeople(format)) this.outText(flags, log.line(event, new Date()))
      else this.out(writer.line(event))
      // No endpoint is probed while the reader of the output is slow.
      await this.output.drained()
    }
    if (stopped.aborted) process.exitCode = 130
  }
}

function byService(endpoints: readonly Endpoint[]): Map<string, readonly Endpoint[]> {
  const services = new Map<string, Endpoint[]>()
  for (const endpoint of endpoints) {
    const siblings = services.get(endpoint.service)
    if (siblings) siblings.push(endpoint)
    else services.set(endpoint.service, [endpoint])
  }
  return services
}

type HealthList = Pick<EndpointList, 'revision' | 'endpoints'>

/** The line on standard error when etcd is lost, denies, or answers again. */
function etcdRemark(outage: DiscoError | null): string {
  if (outage === null) return '  etcd answers again; the list is live'
  const what = outage.code === 'ETCD_DENIED' ? 'etcd denies' : 'etcd lost'
  return `! STALE: the last list is kept; ${what}: ${visible(outage.message)}`
}
