import { type HealthById, type SurveyOptions, surveyHealth } from '../agent/health/survey.js'
import { addressHints } from '../domain/address-hints.js'
import { type Endpoint, endpointId, type LeaseId, type Revision } from '../domain/endpoint.js'
import {
  chosenOf,
  type EndpointFilter,
  isUnfiltered,
  refuseUnknownNames,
  requireChosen,
} from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { checkMembers, type MemberCheckResult, type MembersCheckResult } from '../registry/members.js'
import type { EndpointList, Registry, Ttl } from '../registry/registry.js'
import { summarizeServices } from '../registry/service-summary.js'
import { factsOf, groupByLease, type ServiceFacts } from './facts.js'
import { counted } from './finding.js'

/** The scope and the settings of an examination. */
export interface Request {
  /** Undefined for all services. */
  readonly service: string | undefined
  readonly filter: EndpointFilter
  /** Options of the health probes; null if servers are not probed. */
  readonly probe: SurveyOptions | null
  /** Whether machines other than etcd's own use the registry. */
  readonly isShared: boolean
}

/** Something that could not be checked, so that its state is unknown. */
export interface UncheckedItem {
  /** A noun phrase, such as `health of 3 endpoints`. */
  readonly what: string
  /** A clause: the reason. */
  readonly why: string
}

/** The results of an examination. */
export interface Examination {
  /** The revision at which the registrations were read; null if they could not be read. */
  readonly revision: Revision | null
  readonly services: readonly ServiceFacts[]
  /** The selected endpoints. */
  readonly chosen: readonly Endpoint[]
  readonly health: HealthById
  readonly ttls: ReadonlyMap<LeaseId, Ttl>
  readonly members: readonly MemberCheckResult[]
  readonly unchecked: readonly UncheckedItem[]
  /** Why the registrations could not be read; null if they were read, or the examination was aborted. */
  readonly failure: DiscoError | null
}

/** Called during the examination, with the current activity and the number of servers probed. `all` is 0 before probing. */
export type OnProgress = (activity: string, done: number, all: number) => void

/**
 * Reads registrations, leases and the members of etcd, and probes each server once. After an abort it returns what was
 * read so far, and lists the rest as unchecked.
 *
 * @throws DiscoError NOT_FOUND for a service or a selection without endpoints
 */
export async function examine(
  registry: Registry,
  request: Request,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Examination> {
  const { service, filter, probe, isShared } = request
  onProgress('reading etcd', 0, 0)
  const [checked, listing] = await Promise.all([
    checkMembers(registry, service, { signal }),
    listRegistrations(registry, service, signal),
  ])
  const { members } = checked
  const ofEtcd = uncheckedMembers(checked)
  if (listing === null || listing instanceof DiscoError) {
    const what = service === undefined ? 'registrations' : `registrations of ${service}`
    const unchecked = [...ofEtcd, { what, why: listing?.message ?? INTERRUPTED }]
    return { ...NOTHING, members, unchecked, failure: listing }
  }
  const { services: summaries, foreignKeys, rootHints } = summarizeServices(listing.endpoints)
  // If all keys of a service are unreadable, its name is known only if the caller requested it.
  const groups =
    service === undefined
      ? summaries.map(({ service: name, endpoints }) => ({ name, endpoints }))
      : [{ name: service, endpoints: listing.endpoints }]
  const everything = groups.flatMap(({ endpoints }) => endpoints)
  refuseUnknownNames(filter, everything)
  const chosen = isUnfiltered(filter)
    ? chosenOf(filter, everything)
    : requireChosen(filter, everything, service)
  const { here, elsewhere } = split(groups, chosen, isShared)
  const [leases, health] = await Promise.all([
    readTtls(registry, chosen, signal),
    probe === null ? NO_HEALTH : survey(here, probe, onProgress, signal),
  ])
  const roundTrips = members.flatMap(({ status }) => (status instanceof DiscoError ? [] : status.latencyMs))
  const examined = {
    health,
    ttls: leases.ttls,
    isShared,
    roundTripMs: roundTrips.length === 0 ? null : Math.min(...roundTrips),
  }
  const byLease = groupByLease(everything)
  return {
    revision: listing.revision,
    services: groups.map(({ name, endpoints }) => factsOf(name, endpoints, examined, byLease)),
    chosen,
    health,
    ttls: leases.ttls,
    members,
    unchecked: [
      ...ofEtcd,
      ...(service === undefined ? uncheckedKeys(foreignKeys + listing.otherKeys, rootHints) : []),
      ...leases.unchecked,
      ...uncheckedServers(here, elsewhere, health, probe, signal.aborted),
    ],
    failure: null,
  }
}

const INTERRUPTED = 'interrupted'

const NO_HEALTH: HealthById = new Map()

const NOTHING = { revision: null, services: [], chosen: [], health: NO_HEALTH, ttls: new Map() } as const

/**
 * Lists the registrations. ETCD_UNREACHABLE and ETCD_DENIED are returned, not thrown, because the status of the
 * members may explain them. Returns null after an abort.
 */
async function listRegistrations(
  registry: Registry,
  service: string | undefined,
  signal: AbortSignal,
): Promise<EndpointList | DiscoError | null> {
  try {
    const options = { signal }
    return await (service === undefined
      ? registry.list(undefined, options)
      : registry.listExisting(service, options))
  } catch (thrown) {
    if (signal.aborted) return null
    const error = DiscoError.from(thrown)
    if (error.code === 'ETCD_UNREACHABLE' || error.code === 'ETCD_DENIED') return error
    throw error
  }
}

/**
 * Splits the readable chosen endpoints: those that this machine can probe (`here`), and those whose address works only
 * on the machine of their server (`elsewhere`).
 */
function split(
  groups: readonly { readonly endpoints: readonly Endpoint[] }[],
  chosen: readonly Endpoint[],
  isShared: boolean,
): { readonly here: readonly Endpoint[]; readonly elsewhere: readonly Endpoint[] } {
  const wanted = new Set(chosen)
  const here: Endpoint[] = []
  const elsewhere: Endpoint[] = []
  for (const { endpoints } of groups) {
    const hints = addressHints(endpoints, isShared)
    for (const endpoint of endpoints) {
      if (!wanted.has(endpoint) || endpoint.problem !== null) continue
      const isLocal = hints.get(endpoint)?.some(({ code }) => code !== 'shared-address') ?? false
      ;(isLocal ? elsewhere : here).push(endpoint)
    }
  }
  return { here, elsewhere }
}

async function survey(
  endpoints: readonly Endpoint[],
  probe: SurveyOptions,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<HealthById> {
  return await surveyHealth(endpoints, probe, signal, (done, servers) =>
    onProgress('probing servers', done, servers),
  )
}

async function readTtls(
  registry: Registry,
  endpoints: readonly Endpoint[],
  signal: AbortSignal,
): Promise<{ readonly ttls: ReadonlyMap<LeaseId, Ttl>; readonly unchecked: readonly UncheckedItem[] }> {
  const leases = new Set(endpoints.flatMap(({ lease }) => lease ?? []))
  try {
    return { ttls: await registry.ttls(leases, { signal }), unchecked: [] }
  } catch (thrown) {
    const why = signal.aborted ? INTERRUPTED : DiscoError.from(thrown).message
    return { ttls: new Map(), unchecked: [{ what: `TTL of ${counted(leases.size, 'lease')}`, why }] }
  }
}

function uncheckedMembers({ members, missing, others }: MembersCheckResult): UncheckedItem[] {
  const cut =
    missing === 0 ? [] : [{ what: `state of ${counted(missing, 'member')} of etcd`, why: INTERRUPTED }]
  const named = members.flatMap(({ url, status }) => {
    if (status instanceof DiscoError) return [{ what: `state of etcd at ${url}`, why: status.message }]
    if (status.answersProgress !== null) return []
    const what = `whether a grpc-proxy is in front of etcd at ${url}`
    return [{ what, why: 'no watch could be opened' }]
  })
  return [...named, ...cut, ...(missing === 0 ? uncheckedOthers(members, others) : [])]
}

function uncheckedOthers(
  members: readonly MemberCheckResult[],
  others: MembersCheckResult['others'],
): UncheckedItem[] {
  if (!(others instanceof DiscoError)) {
    return others.map(({ name, urls }) => ({
      what: `state of the etcd member ${[name, ...(urls.length === 0 ? [] : [urls.join(', ')])].join(' at ')}`,
      why: '--endpoints does not name it, or not by this address',
    }))
  }
  // If no member answered, each of them is listed as unchecked already.
  if (members.every(({ status }) => status instanceof DiscoError)) return []
  return [{ what: 'whether etcd has other members', why: others.message }]
}

/** Keys that do not belong to a readable service: other data, or a service whose values are all damaged. */
function uncheckedKeys(keys: number, [root]: readonly string[]): UncheckedItem[] {
  if (keys === 0) return []
  const hint = root === undefined ? 'name a service to examine its keys' : `with --root "${root}" some are`
  return [{ what: counted(keys, 'other key'), why: `not readable as registrations; ${hint}` }]
}

function uncheckedServers(
  here: readonly Endpoint[],
  elsewhere: readonly Endpoint[],
  health: HealthById,
  probe: SurveyOptions | null,
  isCut: boolean,
): UncheckedItem[] {
  if (probe === null) {
    const all = here.length + elsewhere.length
    return all === 0 ? [] : [{ what: `health of ${counted(all, 'endpoint')}`, why: 'left out by --no-probe' }]
  }
  const faulty = (fault: string) => here.filter((one) => health.get(endpointId(one))?.fault === fault)
  const parts = [
    { of: elsewhere, why: 'the address is good only on the machine of its server' },
    { of: faulty('no-socket'), why: 'no such socket on this machine' },
    { of: faulty('local'), why: 'this process could not open a connection: too many open files (ulimit -n)' },
    {
      of: faulty('denied'),
      why: 'the server refuses the health check: give credentials by -H or --tls-cert',
    },
    { of: faulty('speaks-tls'), why: 'it speaks TLS and was probed in plaintext: repeat with --tls' },
    {
      of: here.filter((one) => health.get(endpointId(one))?.status === 'UNIMPLEMENTED'),
      why: 'the server does not implement grpc.health.v1: only the gRPC connection was checked',
    },
    {
      of: here.filter((one) => !health.has(endpointId(one))),
      why: isCut ? INTERRUPTED : 'not probed',
    },
  ]
  return parts.flatMap(({ of, why }) => {
    const [first] = of
    if (!first) return []
    return [{ what: of.length === 1 ? `health of ${first.addr}` : `health of ${of.length} endpoints`, why }]
  })
}
