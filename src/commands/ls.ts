import { Flags, type Interfaces } from '@oclif/core'
import type { HealthById, SurveyOptions } from '../agent/health/survey.js'
import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { type EndpointsDoc, endpointsDoc, type SelectedDoc } from '../cli/endpoints/document.js'
import { writeNames } from '../cli/endpoints/names.js'
import { renderEndpoints } from '../cli/endpoints/table.js'
import { placeFlags } from '../cli/flags/base.js'
import { refuseIdle } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { ACCESS_NAMES, accessFlags, accessOf } from '../cli/flags/probe.js'
import { filterFlags, readScope, type Scope, targetAndAddresses } from '../cli/flags/target.js'
import { isSharedRegistry } from '../cli/notes/notes.js'
import { type ServicesDoc, servicesDoc } from '../cli/services/document.js'
import { renderServices } from '../cli/services/table.js'
import { count } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import type { Endpoint, LeaseId } from '../domain/endpoint.js'
import { isUnfiltered, requireChosen } from '../domain/endpoint-filter.js'
import type { Registry, Ttl } from '../registry/registry.js'

/** Above this number, asking for the times of leases takes longer than everything else: 10,000 take 3 s of CPU. */
const MOST_LEASES = 1_000

export default class Ls extends DiscoCommand {
  static override aliases = ['list', 'get']
  static override summary = 'List the services, or the endpoints of one'
  static override description =
    "Shows each endpoint with its weight, its share of the whole service's traffic, the time its lease has left and was granted, and the revision of its last change. -l, --host and addresses select; without a service, from all of them."
  static override examples = [
    '<%= config.bin %> ls',
    '<%= config.bin %> ls hello -o wide',
    "<%= config.bin %> ls hello -l 'version=2.0.0,weight>0'",
    '<%= config.bin %> ls --host 10.0.0.5',
  ]
  static override usage = '<%= command.id %> [TARGET] [ADDR...] [FLAGS]'
  static override args = { target: targetAndAddresses }
  static override flags = {
    probe: Flags.boolean({
      description: 'ask every endpoint whether it is healthy: grpc.health.v1, or whether it connects',
    }),
    'probe-timeout': waitFlag({
      default: 2_000,
      description: 'limit of each check',
    }),
    ttl: Flags.boolean({
      description: `how long every lease still lasts, where there are more than ${MOST_LEASES.toLocaleString('en')}`,
    }),
    ...filterFlags,
    ...accessFlags,
    ...placeFlags,
  }

  /** Undefined where the output was written before the whole list was known. */
  async run(): Promise<EndpointsDoc | SelectedDoc | ServicesDoc | undefined> {
    const { args, flags, metadata } = await this.parse(Ls)
    if (!flags.probe) refuseIdle({ flags, metadata }, ['probe-timeout', ...ACCESS_NAMES], 'without --probe')
    const probe = flags.probe ? { deadlineMs: flags['probe-timeout'], ...(await accessOf(flags)) } : null
    const [target, ...addrs] = args.target ?? []
    const scope = await readScope({
      command: 'ls',
      target,
      addrs,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    const registry = await this.openScope(flags, scope)
    const { service } = scope
    if (service !== undefined) return await this.listEndpoints(registry, { ...scope, service }, probe, flags)
    if (isUnfiltered(scope.filter)) return await this.listServices(registry, probe, flags)
    return await this.listSelected(registry, scope, probe, flags)
  }

  private async listServices(
    registry: Registry,
    probe: SurveyOptions | null,
    flags: BaseFlags & LsFlags,
  ): Promise<ServicesDoc> {
    const { summarizeServices } = await import('../registry/service-summary.js')
    const { revision, endpoints, otherKeys } = await registry.list()
    const { services, foreignKeys, rootHints } = summarizeServices(endpoints)
    const listed = services.flatMap((service) => service.endpoints)
    const [ttls, health] = await Promise.all([this.ttls(registry, listed, flags), askHealth(listed, probe)])
    const doc = servicesDoc(revision, services, ttls, health)
    this.print(flags, doc, {
      table: (palette) => renderServices(doc, palette),
      lines: () => doc.services.map((service) => ({ schema: 'disco.service/v1', rev: doc.rev, ...service })),
      names: () => doc.services.map(({ service }) => service),
    })
    const all = doc.services.reduce((sum, service) => sum + service.endpoints, 0)
    this.remark(`${count(services.length, 'service')}, ${count(all, 'endpoint')} (rev ${doc.rev})`)
    const others = foreignKeys + otherKeys
    if (others > 0)
      this.remark(`${count(others, 'other key')} left out: no registrations that disco can read`)
    for (const root of rootHints.slice(0, 3))
      this.remark(`Some of them would be registrations under another root: disco ls --root ${visible(root)}`)
    return doc
  }

  /** The selected endpoints of all services. */
  private async listSelected(
    registry: Registry,
    { filter }: Pick<Scope, 'filter'>,
    probe: SurveyOptions | null,
    flags: BaseFlags & LsFlags,
  ): Promise<SelectedDoc> {
    const { summarizeServices } = await import('../registry/service-summary.js')
    const listing = await registry.list()
    const { services } = summarizeServices(listing.endpoints)
    const isShared = isSharedRegistry(this.members(flags))
    const readable = services.flatMap(({ endpoints }) => endpoints)
    const chosen = requireChosen(filter, readable, undefined)
    const [ttls, health] = await Promise.all([this.ttls(registry, chosen, flags), askHealth(chosen, probe)])
    const { revision } = listing
    const docs = services
      .map(({ service, endpoints }) =>
        endpointsDoc(service, { revision, endpoints }, ttls, health ?? undefined, filter, isShared),
      )
      .filter(({ endpoints }) => endpoints.length > 0)
    const doc: SelectedDoc = { schema: 'disco.selected/v1', rev: String(revision), services: docs }
    return this.print(flags, doc, {
      table: (palette, wide) =>
        renderEndpoints(docs, palette, { wide, withTtl: ttls !== null, withService: true }),
      lines: () => docs.flatMap(endpointLines),
      names: () => docs.flatMap(({ endpoints }) => endpoints.map(({ addr }) => addr)),
    })
  }

  private async listEndpoints(
    registry: Registry,
    { service, filter }: Scope,
    probe: SurveyOptions | null,
    flags: BaseFlags & LsFlags,
  ): Promise<EndpointsDoc | undefined> {
    // Addresses are checked against the whole list before anything is written.
    if (this.format(flags) === 'name' && filter.addrs.length === 0 && !probe) {
      const { ended } = this.output
      const pages = registry.listPages(service, { signal: ended })
      const hasWritten = await writeNames(pages, filter, this.output)
      if (hasWritten || ended.aborted) return undefined
      // The whole list explains why there is none.
    }
    const listing = await registry.listExisting(service)
    const chosen = requireChosen(filter, listing.endpoints, service)
    const [ttls, health] = await Promise.all([this.ttls(registry, chosen, flags), askHealth(chosen, probe)])
    const doc = endpointsDoc(
      service,
      listing,
      ttls,
      health ?? undefined,
      filter,
      isSharedRegistry(this.members(flags)),
    )
    return this.print(flags, doc, {
      table: (palette, wide) => renderEndpoints([doc], palette, { wide, withTtl: doc.ttlsAsked }),
      lines: () => endpointLines(doc),
      names: () => doc.endpoints.map(({ addr }) => addr),
    })
  }

  /** Null if the times of the leases are not requested: each takes a request. */
  private async ttls(
    registry: Registry,
    endpoints: readonly Endpoint[],
    flags: BaseFlags & LsFlags,
  ): Promise<ReadonlyMap<LeaseId, Ttl> | null> {
    if (this.format(flags) === 'name') return null
    const leases = leasesOf(endpoints)
    if (leases.size <= MOST_LEASES || flags.ttl) return await registry.ttls(leases)
    this.remark(`The times of ${count(leases.size, 'lease')} are left out; --ttl asks for them`)
    return null
  }
}

function endpointLines({ service, rev, endpoints }: EndpointsDoc): object[] {
  return endpoints.map((endpoint) => Object.assign({ schema: 'disco.endpoint/v1', service, rev }, endpoint))
}

type LsFlags = Interfaces.InferredFlags<typeof Ls.flags>

/** Null unless --probe asks for it. */
async function askHealth(
  endpoints: readonly Endpoint[],
  probe: SurveyOptions | null,
): Promise<HealthById | null> {
  if (!probe) return null
  const { surveyHealth } = await import('../agent/health/survey.js')
  return await surveyHealth(endpoints, probe)
}

function leasesOf(endpoints: readonly Endpoint[]): Set<LeaseId> {
  return new Set(endpoints.flatMap(({ lease }) => lease ?? []))
}
