import { Flags, type Interfaces } from '@oclif/core'
import type { HealthById, SurveyOptions } from '../agent/health/survey.js'
import { DiscoCommand, type OpenRegistries, type PlaceIn } from '../cli/base-command.js'
import {
  combinedEndpoints,
  combinedSelection,
  combinedServices,
  withRegistry,
} from '../cli/endpoints/combined.js'
import {
  ENDPOINT_VALUES,
  type EndpointsDoc,
  endpointsDoc,
  type SelectedDoc,
  selectedDoc,
} from '../cli/endpoints/document.js'
import { writeNames } from '../cli/endpoints/names.js'
import { renderEndpoints } from '../cli/endpoints/table.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { placeFlags } from '../cli/flags/base.js'
import { refuseIneffective } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { inOrderOf, listingFlags, type SortOrder } from '../cli/flags/listing.js'
import { ACCESS_NAMES, accessFlags, accessOf } from '../cli/flags/probe.js'
import { refuseBesideRev, revFlag } from '../cli/flags/since.js'
import { filterFlags, readScope, targetAndAddresses } from '../cli/flags/target.js'
import { isSharedRegistry } from '../cli/notes/notes.js'
import { isForPeople } from '../cli/output/format.js'
import { type Progress, probingLine } from '../cli/output/progress.js'
import {
  missingParts,
  partsRead,
  type RegistryPart,
  readEach,
  requireChosenIn,
  requireExisting,
  requireRegisteredIn,
} from '../cli/registries/parts.js'
import { type ServicesDoc, servicesDoc } from '../cli/services/document.js'
import { renderServices, SERVICE_VALUES } from '../cli/services/table.js'
import type { TableChoice } from '../cli/terminal/table.js'
import { count, grouped } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import type { Endpoint, LeaseId } from '../domain/endpoint.js'
import { chosenOf, type EndpointFilter, isUnfiltered } from '../domain/endpoint-filter.js'
import type { Registry, Ttl } from '../registry/registry.js'

/** With more leases than this, reading their TTLs takes longer than the rest of the command: 10,000 take 3 s of CPU. */
const MAX_LEASES = 1_000

export default class Ls extends DiscoCommand {
  static override aliases = ['list', 'get']
  static override summary = 'List the services, or the endpoints of one'
  static override description =
    "Shows each endpoint with its weight, its share of the whole service's traffic, the remaining and the granted TTL of its lease, and the revision of its last change. -l, --host and addresses select endpoints, of all services if none is given. Columns that do not fit on a terminal are left out: REV first, then LEASE, TTL, LAYOUT, SHARE, VERSION, WEIGHT; -o wide keeps all."
  static override examples = [
    '<%= config.bin %> ls',
    '<%= config.bin %> ls hello -o wide',
    "<%= config.bin %> ls hello -l 'version=2.0.0,weight>0'",
    '<%= config.bin %> ls --host 10.0.0.5',
    '<%= config.bin %> ls hello --rev 1042',
  ]
  static override readonly takesSeveral = true
  static override usage = '<%= command.id %> [TARGET] [ADDR...] [FLAGS]'
  static override args = { target: targetAndAddresses }
  static override flags = {
    probe: Flags.boolean({
      description: 'check the health of every endpoint: by grpc.health.v1, or by a connection',
    }),
    'probe-timeout': waitFlag({
      default: 2_000,
      description: 'limit of each check',
    }),
    ttl: Flags.boolean({
      description: `show the TTL of every lease, even if there are more than ${grouped(MAX_LEASES)}`,
    }),
    ...revFlag,
    ...filterFlags,
    ...listingFlags,
    ...accessFlags,
    ...placeFlags,
  }

  /** Undefined if the output was written before the whole list was known. */
  async run(): Promise<EndpointsDoc | SelectedDoc | ServicesDoc | undefined> {
    const { args, flags, metadata } = await this.parse(Ls)
    if (!flags.probe)
      refuseIneffective({ flags, metadata }, ['probe-timeout', ...ACCESS_NAMES], 'without --probe')
    refuseBesideRev({ flags, metadata }, ['probe', 'ttl'])
    const format = this.format(flags)
    if (!isForPeople(format))
      refuseIneffective(
        { flags, metadata },
        ['columns', 'no-headers'],
        `with ${flags.json ? '--json' : '-o'}`,
      )
    const probe = flags.probe ? { deadlineMs: flags['probe-timeout'], ...(await accessOf(flags)) } : null
    const [target, ...addrs] = args.target ?? []
    const scopeIn = (place: PlaceIn) => readScope({ command: 'ls', target, addrs, flags, place })
    const scope = await scopeIn((layout) => this.place(flags, layout))
    const registries = await this.openRegistries(flags, async (place) => (await scopeIn(place)).place)
    await requireRegisteredIn(registries, scope, flags.rev)
    const { service, filter } = scope
    const asked = { filter, probe, flags }
    if (service !== undefined) return await this.listEndpoints(registries, service, asked)
    if (isUnfiltered(filter)) return await this.listServices(registries, asked)
    return await this.listSelected(registries, asked)
  }

  private async listServices(registries: OpenRegistries, { probe, flags }: LsOptions): Promise<ServicesDoc> {
    const { summarizeServices } = await import('../registry/service-summary.js')
    const roots = new Set<string>()
    let others = 0
    const parts = await readEach(registries, async ({ registry }) => {
      const { revision, endpoints, otherKeys } = await registry.list(undefined, { revision: flags.rev })
      const { services, foreignKeys, rootHints } = summarizeServices(endpoints)
      for (const root of rootHints.slice(0, 3)) roots.add(root)
      others += foreignKeys + otherKeys
      const listed = services.flatMap((service) => service.endpoints)
      const [ttls, health] = await Promise.all([
        this.ttls(registry, listed, flags),
        askHealth(listed, probe, this.progressLine),
      ])
      return servicesDoc(revision, services, ttls, health)
    })
    const all = combinedServices(parts)
    const doc = { ...all, services: inOrderOf(all.services, flags.sort, SERVICE_VALUES) }
    const names = new Set(doc.services.map(({ service }) => service))
    this.print(flags, doc, {
      table: (palette) => renderServices(doc, palette, choiceOf(flags)),
      lines: () => doc.services.map((service) => ({ schema: 'disco.service/v1', rev: doc.rev, ...service })),
      names: () => [...names],
    })
    const endpoints = doc.services.reduce((sum, service) => sum + service.endpoints, 0)
    this.remark(`${count(names.size, 'service')}, ${count(endpoints, 'endpoint')} (${revisions(doc)})`)
    if (others > 0) this.remark(`${count(others, 'other key')} left out: not readable as registrations`)
    for (const root of roots)
      this.remark(`Some of them would be registrations under another root: disco ls --root ${visible(root)}`)
    this.reportMissing(parts)
    return doc
  }

  /** The selected endpoints of all services. */
  private async listSelected(
    registries: OpenRegistries,
    { filter, probe, flags }: LsOptions,
  ): Promise<SelectedDoc> {
    const { summarizeServices } = await import('../registry/service-summary.js')
    const readable: Endpoint[] = []
    const parts = await readEach(registries, async ({ registry, members }): Promise<SelectedDoc> => {
      const { revision, endpoints } = await registry.list(undefined, { revision: flags.rev })
      const { services } = summarizeServices(endpoints)
      const all = services.flatMap((service) => service.endpoints)
      for (const endpoint of all) readable.push(endpoint)
      const chosen = chosenOf(filter, all)
      const [ttls, health] = await Promise.all([
        this.ttls(registry, chosen, flags),
        askHealth(chosen, probe, this.progressLine),
      ])
      const isShared = isSharedRegistry(members)
      const docs = services.map(({ service, endpoints }) =>
        endpointsDoc(service, { revision, endpoints }, ttls, health ?? undefined, filter, isShared),
      )
      return selectedDoc(revision, docs)
    })
    const all = combinedSelection(parts)
    requireChosenIn(parts, filter, readable, undefined)
    const services = all.services.map((one) => sorted(one, flags.sort))
    const doc = { ...all, services }
    const withTtl = services.every(({ ttlsAsked }) => ttlsAsked)
    this.print(flags, doc, {
      table: (palette, wide) =>
        renderEndpoints(services, palette, { wide, withTtl, withService: true, ...looksOf(flags) }),
      lines: () => services.flatMap(endpointLines),
      names: () => services.flatMap(({ endpoints }) => endpoints.map(({ addr }) => addr)),
    })
    this.reportMissing(parts)
    return doc
  }

  private async listEndpoints(
    registries: OpenRegistries,
    service: string,
    { filter, probe, flags }: LsOptions,
  ): Promise<EndpointsDoc | undefined> {
    const [{ registry: first, origin }] = registries
    // Addresses are checked against the whole list before anything is written.
    if (
      origin === null &&
      this.format(flags) === 'name' &&
      filter.addrs.length === 0 &&
      !probe &&
      !flags.sort
    ) {
      const { ended } = this.output
      const pages = first.listPages(service, { signal: ended, revision: flags.rev })
      const hasWritten = await writeNames(pages, filter, this.output)
      if (hasWritten || ended.aborted) return undefined
      // No endpoint was found: the whole list, which is read below, explains why.
    }
    const all: Endpoint[] = []
    const parts = await readEach(registries, async ({ registry, members, origin }) => {
      const listing = await (origin === null
        ? registry.listExisting(service, { revision: flags.rev })
        : registry.list(service))
      for (const endpoint of listing.endpoints) all.push(endpoint)
      const chosen = chosenOf(filter, listing.endpoints)
      const [ttls, health] = await Promise.all([
        this.ttls(registry, chosen, flags),
        askHealth(chosen, probe, this.progressLine),
      ])
      return endpointsDoc(service, listing, ttls, health ?? undefined, filter, isSharedRegistry(members))
    })
    const doc = sorted(combinedEndpoints(parts), flags.sort)
    if (all.length === 0) await requireExisting(registries, service)
    requireChosenIn(parts, filter, all, service)
    const docs = partsRead(parts).map(({ registry, read }) =>
      sorted(withRegistry(registry, read), flags.sort),
    )
    this.print(flags, doc, {
      table: (palette, wide) =>
        renderEndpoints(docs, palette, { wide, withTtl: doc.ttlsAsked, ...looksOf(flags) }),
      lines: () => docs.flatMap(endpointLines),
      names: () => doc.endpoints.map(({ addr }) => addr),
    })
    this.reportMissing(parts)
    return doc
  }

  /** Reports registries that could not be read, on standard error and by the exit code. */
  private reportMissing(parts: readonly RegistryPart<unknown>[]): void {
    const missing = missingParts(parts)
    for (const sentence of missing) this.remark(`! ${visible(sentence)}`)
    if (missing.length > 0) process.exitCode = 3
  }

  /** Null if TTLs are not read, because each takes a request. */
  private async ttls(
    registry: Registry,
    endpoints: readonly Endpoint[],
    flags: BaseFlags & LsFlags,
  ): Promise<ReadonlyMap<LeaseId, Ttl> | null> {
    // etcd does not store the TTLs of earlier revisions.
    if (this.format(flags) === 'name' || flags.rev !== undefined) return null
    const leases = leasesOf(endpoints)
    if (leases.size <= MAX_LEASES || flags.ttl) return await registry.ttls(leases)
    this.remark(`The TTLs of ${count(leases.size, 'lease')} are left out; --ttl shows them`)
    return null
  }
}

function choiceOf({ columns, 'no-headers': isHeadless }: LsFlags): TableChoice {
  return { columns, headers: !isHeadless }
}

function looksOf(flags: LsFlags) {
  return { sort: flags.sort, ...choiceOf(flags) }
}

function sorted(doc: EndpointsDoc, order: SortOrder | undefined): EndpointsDoc {
  if (order === undefined || order.column === 'service') return doc
  return { ...doc, endpoints: inOrderOf(doc.endpoints, order, ENDPOINT_VALUES) }
}

function endpointLines({ service, rev, endpoints }: EndpointsDoc): object[] {
  return endpoints.map((endpoint) => Object.assign({ schema: 'disco.endpoint/v1', service, rev }, endpoint))
}

/** `rev 42`, or the revision of each registry. */
function revisions({ rev, registries }: ServicesDoc): string {
  if (!registries) return `rev ${rev}`
  return registries
    .map((one) => `${one.registry} ${one.rev === null ? 'unreachable' : `rev ${one.rev}`}`)
    .join(', ')
}

/** The options of a listing. */
interface LsOptions {
  readonly filter: EndpointFilter
  readonly probe: SurveyOptions | null
  readonly flags: BaseFlags & LsFlags
}

type LsFlags = Interfaces.InferredFlags<typeof Ls.flags>

/** Null without --probe. */
async function askHealth(
  endpoints: readonly Endpoint[],
  probe: SurveyOptions | null,
  progress: Progress,
): Promise<HealthById | null> {
  if (!probe) return null
  const { surveyHealth } = await import('../agent/health/survey.js')
  return await surveyHealth(endpoints, probe, undefined, probingLine(progress))
}

function leasesOf(endpoints: readonly Endpoint[]): Set<LeaseId> {
  return new Set(endpoints.flatMap(({ lease }) => lease ?? []))
}
