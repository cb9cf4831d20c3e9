import type { DiscoError } from '../../domain/errors.js'
import { didYouMean } from '../../domain/nearest.js'
import type { ClientAnswer, ClientStream } from '../../xds/client-stream.js'
import type { Assignment } from '../../xds/localities.js'
import type { ResourceType } from '../../xds/resources.js'
import type { RegistryOutage } from '../../xds/service-lists.js'
import { ServerView } from '../serving.js'
import type { Palette } from '../terminal/color.js'
import { count, duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { XdsDoc, XdsRegistryDoc } from './document.js'
import { LineBudget } from './line-budget.js'

/** Maximum number of services in the first lines. */
const MAX_SERVICES = 20

/** Maximum number of unknown names that are printed for one request. */
const MAX_NAMES = 5

/** Number of unknown names that are remembered, so that each is printed once. The oldest is forgotten first. */
const MAX_REMEMBERED = 1_000

/** The limit of lines that clients cause. It is enough for the restart of a fleet with a mistyped name. */
const OF_CLIENTS = { maxLines: 50, periodMs: 10_000 }

/** Maximum length of a printed name, in characters: a client may ask for a name of 512 KiB. */
const MAX_NAME_LENGTH = 256

/** Lines of a control plane about its start, its clients and the registry. */
export class XdsView extends ServerView {
  /** Rejections that were printed, by stream and type. */
  private readonly rejections = new WeakMap<ClientStream, Map<ResourceType, string>>()
  private readonly unknown = new Set<string>()
  /** Reasons for omitted endpoints that were printed, by service and by the endpoint's name. */
  private readonly omissions = new Map<string, ReadonlyMap<string, string>>()

  /** Prints lines that clients cause. */
  private readonly clients: LineBudget

  constructor(palette: Palette, line: (text: string) => void) {
    super(palette, line)
    this.clients = new LineBudget(
      OF_CLIENTS,
      (text) => this.line(text),
      (text) => this.warn(text),
    )
  }

  started({ listen, tls, canary, services, registries }: XdsDoc, problem: string | null): void {
    const first = canary === null ? '' : `, canary ${visible(canary)}`
    const where = `xDS on ${listen}${tls ? ' by TLS' : ''}`
    // Before the first list the number of services is unknown.
    if (problem !== null && services.length === 0) this.warn(`${where}: ${problem}${first}`)
    else this.line(`${this.palette.green('✓')} ${where}: ${count(services.length, 'service')}${first}`)
    if (registries) this.line(`  registries: ${orderText(registries)}`)
    for (const one of services.slice(0, MAX_SERVICES)) {
      const omitted = one.omitted === 0 ? '' : `, ${one.omitted} not given to clients`
      const chosen = one.canary === null ? '' : `, ${one.canary} in the canary`
      const parts = (one.registries ?? []).map(({ registry, endpoints }) => `${registry} ${endpoints}`)
      const places = parts.length === 0 ? '' : ` (${parts.join(', ')})`
      this.line(`  ${visible(one.service)}: ${count(one.endpoints, 'endpoint')}${places}${omitted}${chosen}`)
    }
    if (services.length > MAX_SERVICES) this.line(`  and ${services.length - MAX_SERVICES} more`)
    if (problem !== null && services.length > 0) this.warn(problem)
    this.line('  Ctrl-C: end. Clients keep the last state.')
  }

  /** Reports a named service without an endpoint. */
  absent(why: DiscoError): void {
    this.remark(why, 'calls to it fail with UNAVAILABLE until it has an endpoint')
  }

  /** Reports a canary that selects no endpoint. */
  emptyCanary(why: DiscoError): void {
    this.remark(why, 'all endpoints get calls')
  }

  private remark({ message, suggestions }: DiscoError, effect: string): void {
    this.warn(`${message}; ${effect}`)
    for (const suggestion of suggestions) this.line(`  ${visible(suggestion)}`)
  }

  /** @param known the names of all services, for a hint */
  subscribedUnknown(stream: ClientStream, names: readonly string[], known: Iterable<string>): void {
    const fresh = names.map(shortened).filter((name) => !this.unknown.has(name))
    // An iterator, which can be read once; not read for lines that are left out.
    let services: readonly string[] | null = null
    for (const name of fresh.slice(0, MAX_NAMES)) {
      this.clients.line(() => {
        this.remember(name)
        services ??= [...known]
        const [hint = ''] = didYouMean(name, services)
        return this.warning(
          `${clientName(stream)} asks for "${name}", which is not served: its calls fail with UNAVAILABLE${hint && `. ${hint}`}`,
        )
      })
    }
    const more = fresh.length - MAX_NAMES
    if (more > 0)
      this.clients.line(() =>
        this.warning(`${clientName(stream)} asks for ${more} more names that are not served`),
      )
  }

  private remember(name: string): void {
    this.unknown.add(name)
    const [oldest] = this.unknown
    if (this.unknown.size > MAX_REMEMBERED && oldest !== undefined) this.unknown.delete(oldest)
  }

  answered(stream: ClientStream, { type, version, rejection }: ClientAnswer): void {
    const before = this.rejections.get(stream) ?? new Map<ResourceType, string>()
    this.rejections.set(stream, before)
    const last = before.get(type)
    if (rejection === null) {
      if (before.delete(type))
        this.clients.line(
          () => `${this.palette.green('✓')} ${visible(clientName(stream))} accepts ${type} ${version} again`,
        )
    } else if (rejection !== last) {
      before.set(type, rejection)
      const what = `rejects ${type} ${version} and keeps its last state: ${rejection}`
      this.clients.line(() => `${this.palette.red('✗')} ${visible(`${clientName(stream)} ${what}`)}`)
    }
  }

  closed(stream: ClientStream, reason: string): void {
    this.clients.line(() => this.warning(`${clientName(stream)} is disconnected: ${reason}`))
  }

  outage({ service, registry, cause, cachedAgeMs, served }: RegistryOutage): void {
    const names = [registry, service].filter((name) => name !== null)
    const start = names.length === 0 ? '' : `${names.join(' ')}: `
    if (!cause) this.line(`${this.palette.green('✓')} ${visible(start)}the registry answers again`)
    else this.warn(`${start}${cause.message}; ${servedText(served, cachedAgeMs)}`)
  }

  /** Reports endpoints that are valid and not drained, but that clients do not get: a host name may be unknown. */
  built(service: string, { omissions }: Assignment): void {
    const now = new Map<string, string>()
    // A first lookup that has just begun is not reported.
    for (const { endpoint, isDrained, lookup, reason } of omissions) {
      const { addr, origin, problem } = endpoint
      const name = origin ? `${origin.registry} ${service} ${addr}` : `${service} ${addr}`
      if (problem === null && !isDrained && lookup !== 'awaited') now.set(name, reason)
    }
    const before = this.omissions.get(service)
    if (now.size === 0) this.omissions.delete(service)
    else this.omissions.set(service, now)
    for (const [name, reason] of now)
      if (before?.get(name) !== reason) this.warn(`${name} ${reason}: clients do not get it`)
  }

  private warn(sentence: string): void {
    this.line(this.warning(sentence))
  }

  private warning(sentence: string): string {
    return `${this.palette.yellow('!')} ${visible(sentence)}`
  }
}

function shortened(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name
}

function clientName({ identity, peer }: ClientStream): string {
  const { node = '', agent = '' } = identity ?? {}
  return `client ${[node, agent && `(${agent})`, `at ${peer}`].filter(Boolean).join(' ')}`
}

function servedText(served: RegistryOutage['served'], cachedAgeMs: number | null): string {
  if (served === 'nothing') return 'clients that wait for a list go on waiting'
  if (served === 'others') return 'serving the other registries'
  return cachedAgeMs === null
    ? 'serving the last list'
    : `serving the last list from the cache, ${duration(cachedAgeMs)} old`
}

/** `dc1, then dc2`, or `dc1 80, dc2 20`. */
function orderText(registries: readonly XdsRegistryDoc[]): string {
  const isRatio = registries.every(({ priority }) => priority === 0)
  if (isRatio) return registries.map(({ registry, weight }) => `${registry} ${weight}`).join(', ')
  return registries.map(({ registry }) => registry).join(', then ')
}
