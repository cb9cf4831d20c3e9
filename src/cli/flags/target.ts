import { Flags, type Interfaces } from '@oclif/core'
import { type EndpointFilter, isNamed } from '../../domain/endpoint-filter.js'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import { DEFAULT_LAYOUT } from '../../domain/layouts/index.js'
import { AUTO, type Place } from '../../domain/layouts/reader.js'
import { parseSelector, type Selector, type SelectorOptions } from '../../domain/selector.js'
import {
  narrowedTarget,
  parseTarget,
  SCHEME,
  selectorOf,
  splitTarget,
  type Target,
  targetOf,
} from '../../grpc/resolver/target.js'
import { completeAddress } from '../../registry/complete-address.js'
import type { Registry } from '../../registry/registry.js'
import type { FullPlace } from '../config.js'
import { endpointName, refuseSwapped, requireServiceName } from './arguments.js'
import { REGISTRY_FLAGS, TIMEOUT_FLAGS } from './connection-names.js'
import { argument, parsedBy, refuseEmpty, refuseIneffective } from './custom.js'

const selectorFlagBy = (read: (text: string, flag: string) => Selector) => ({
  selector: Flags.custom<Selector>({ parse: parsedBy(read) })({
    char: 'l',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE,…',
    description: 'endpoints that meet all conditions: version=2.0.0,zone!=b,weight>0; may be repeated',
  }),
})

/** `-l`: conditions on endpoints, for every command that takes a TARGET. */
export const selectorFlag = selectorFlagBy((text, flag) => parseSelector(text, flag))

/** Flags that select endpoints of the registry. */
export const filterFlags = {
  ...selectorFlag,
  host: Flags.custom<string>({ parse: parsedBy(readHost) })({
    helpValue: 'HOST',
    description: 'endpoints of this host, whatever their port',
  }),
}

/** @throws DiscoError USAGE */
function readHost(text: string, flag: string): string {
  // Sockets and addresses that cannot be read have the host ''.
  if (refuseEmpty(text, flag) === '[]') {
    throw new DiscoError('USAGE', `Invalid ${flag} "${text}": the host is empty`)
  }
  if (!/:\d+$/.test(text) || text.includes('::')) return text
  throw invalidValue(flag, text, 'a host without a port', [
    'For a single endpoint, give its address without --host',
  ])
}

/**
 * Flags that select endpoints, for commands that change them. If ZONE is unset, `-l "zone=$ZONE"` must not select the
 * endpoints without a zone.
 */
export const changeFilterFlags = {
  ...filterFlags,
  ...selectorFlagBy((text, flag) => parseSelector(text, flag, { empty: 'quoted' })),
}

export type FilterFlags = Partial<Interfaces.InferredFlags<typeof filterFlags>>

/**
 * TARGET and ADDR… of a command that needs neither. Declared as one argument, because oclif allows no optional argument
 * before one with `multiple`.
 */
export const targetAndAddresses = argument({
  multiple: true,
  description:
    'a service, or etcd:///SERVICE, etcd://VERSION/SERVICE; then addresses of its endpoints, or their etcd keys',
})

/** The TARGET of a command that dials, with or without a registry. */
export const dialledTarget = argument({
  required: true,
  description:
    'a service, or a target: etcd:///SERVICE, etcd://VERSION/SERVICE, HOST:PORT, dns:///…, ipv4:…, unix:…',
})

/** The endpoints that a command works on. */
export interface Scope<Service extends string | undefined = string> {
  readonly service: Service
  readonly filter: EndpointFilter
  /** The layout and root of the keys, for `openRegistry`. */
  readonly place: FullPlace
  /** Invalid addresses with their errors. Such an address is accepted only if an endpoint is registered with it. */
  readonly invalid: ReadonlyMap<string, DiscoError>
}

/** The words of the command line that determine a scope. */
export interface ScopeArguments<Service extends string | undefined> {
  /** The command's name, for errors. */
  readonly command: string
  readonly target: Service
  readonly addrs?: readonly string[]
  readonly flags: FilterFlags
  /** Whether an empty value in a URI is accepted; see `SelectorOptions`. */
  readonly empty?: SelectorOptions['empty']
  /** Returns the layout and root that flags and environment give, see `DiscoCommand.place`. */
  readonly place: (defaultLayout: string) => FullPlace
}

/**
 * Reads TARGET, ADDR…, `-l` and `--host`. A bare name reads every layout. A URI reads the layout that a program with
 * the same URI reads: the default layout, unless the URI, `--layout` or DISCO_LAYOUT names another.
 *
 * @throws DiscoError USAGE
 */
export async function readScope<Service extends string | undefined>(
  args: ScopeArguments<Service>,
): Promise<Scope<Service>> {
  const { command, target: text, addrs = [], flags } = args
  if (text !== undefined) refuseSwapped(text, addrs[0], [command, addrs[0] ?? '', text])
  const uri = text === undefined ? null : registryUri(text, args)
  const { place, service } = uri
    ? { place: placeOfUri(uri, args.place), service: uri.service as Service }
    : bare(text, args.place(AUTO))
  const unset = Object.entries(uri?.where ?? {}).find(([, value]) => value === '')
  if (unset && args.empty === 'quoted') {
    throw new DiscoError('USAGE', `The value of ${unset[0]} is empty: "${text}"`, {
      suggestions: [`For endpoints without it: -l '${unset[0]}=""'`],
    })
  }
  if (uri?.spillOver) {
    throw new DiscoError('USAGE', `spill-over has no effect here: "${text}"`, {
      suggestions: ['It has an effect in call, pick and resolve, and in programs'],
    })
  }
  if (uri) refuseFrom(uri, text)
  const named = await Promise.all(
    addrs.map((addr) => endpointName(addr, `disco ${command} hello 1.2.3.4:1001`)),
  )
  const filter = {
    select: [...(uri ? selectorOf(uri) : []), ...selectorIn(flags)],
    addrs: named.map(({ name }) => name),
    host: flags.host ?? null,
  }
  const invalid = new Map(named.flatMap((one) => (one.invalid ? [[one.name, one.invalid] as const] : [])))
  return { service, filter, place, invalid }
}

/** @throws DiscoError USAGE for an invalid address that no endpoint is registered with */
export async function requireRegistered(
  registry: Registry,
  { service, invalid }: Pick<Scope<string | undefined>, 'service' | 'invalid'>,
  revision?: number,
): Promise<void> {
  if (invalid.size === 0) return
  const { endpoints } = await registry.list(service, { revision })
  for (const [name, error] of invalid) {
    if (!endpoints.some((endpoint) => isNamed(endpoint, name))) throw error
  }
}

function bare<Service extends string | undefined>(service: Service, place: FullPlace) {
  if (service !== undefined) requireServiceName(service, place.layout)
  return { service, place }
}

/** The conditions of all `-l` flags as one selector: an endpoint must meet all of them. */
export function selectorIn({ selector = [] }: Pick<FilterFlags, 'selector'>): Selector {
  return selector.flat()
}

/** The service, the version and the place of a registration. */
export interface RegistrationTarget {
  readonly service: string
  readonly version: string | undefined
  readonly place: Place
}

/**
 * The TARGET of a registration: a name, or `etcd:///SERVICE` or `etcd://VERSION/SERVICE`, which may have the parameters
 * `layout` and `root`.
 *
 * @param version the value of `--version`
 * @throws DiscoError USAGE if the target has other conditions, which would select endpoints, or names another version
 */
export function registeredTarget(text: string, version: string | undefined): RegistrationTarget {
  const uri = registryUri(text)
  if (!uri) return { service: text, version, place: {} }
  refuseFrom(uri, text)
  const { version: own = version, ...others } = uri.where
  const isSelecting = Object.keys(others).length > 0 || uri.select.length > 0 || uri.spillOver
  if (!isSelecting && (version ?? own) === own)
    return { service: uri.service, version: own, place: uri.place }
  const message = isSelecting ? `"${text}" selects endpoints` : `"${text}" and --version ${version} differ`
  throw new DiscoError('USAGE', message, {
    suggestions: ['A registration is for etcd:///SERVICE or etcd://VERSION/SERVICE; metadata: --meta zone=b'],
  })
}

/** Refuses `from` for commands that work on the registry of their context, and not on the one that `from` names. */
function refuseFrom({ place: { from } }: Target, text: string | undefined): void {
  if (from === undefined) return
  throw new DiscoError('USAGE', `from has no effect here: "${text}"`, {
    suggestions: [
      'A context names the registry: -C NAME',
      'from has an effect in call, proxy and resolve, and in programs',
    ],
  })
}

/** The layout and root that a URI reads. @param placeBy returns those that flags and environment give */
export function placeOfUri({ place }: Target, placeBy: ScopeArguments<string>['place']): FullPlace {
  const { layout, root } = placeBy(DEFAULT_LAYOUT.name)
  return { layout: place.layout ?? layout, root: place.root ?? root }
}

/**
 * A target without a registry (`host:port`, `dns:`, `ipv4:`, `ipv6:` or `unix:`), in the form that a channel takes.
 * Null for a service of the registry.
 *
 * @throws DiscoError USAGE
 */
export async function staticTarget(text: string): Promise<string | null> {
  const whole = /^:\d+$/.test(text) ? await completeAddress(text, 'disco call :1001') : text
  const { scheme, authority, path } = splitTarget(whole)
  if (scheme === SCHEME) return null
  return authority === undefined ? `${scheme}:${path}` : `${scheme}://${authority}/${path}`
}

/** The target of a command that dials. */
export interface DialTarget {
  /** The target in the form that a channel takes. */
  readonly target: string
  /** The service, and the layout and root of its keys; null for a target without a registry. */
  readonly registry: { readonly service: string; readonly place: FullPlace; readonly isUri: boolean } | null
}

/**
 * Reads the TARGET and `-l` of a command that dials.
 *
 * @throws DiscoError USAGE
 */
export async function readDialled(
  text: string,
  parsed: Parameters<typeof refuseIneffective>[0] & { readonly flags: FilterFlags },
  place: (defaultLayout: string) => FullPlace,
): Promise<DialTarget> {
  const other = await staticTarget(text)
  if (other !== null) {
    refuseRegistryFlags(parsed, text)
    return { target: other, registry: null }
  }
  const select = selectorIn(parsed.flags)
  const uri = registryUri(text)
  if (!uri) {
    const bare = place(AUTO)
    const service = requireServiceName(text, bare.layout)
    return { target: targetOf(service, select), registry: { service, place: bare, isUri: false } }
  }
  const target = select.length === 0 ? text : narrowedTarget(uri, select)
  return { target, registry: { service: uri.service, place: placeOfUri(uri, place), isUri: true } }
}

/** The layout and root of a dialled target's keys. @param place returns those that a context gives */
export function placeOfDialled(
  { target, registry }: DialTarget,
  place: (defaultLayout: string) => FullPlace,
): FullPlace {
  return registry?.isUri ? placeOfUri(parseTarget(splitTarget(target)), place) : place(AUTO)
}

/** Refuses flags about the registry, for a target without a registry. @throws DiscoError USAGE */
export function refuseRegistryFlags(parsed: Parameters<typeof refuseIneffective>[0], target: string): void {
  refuseIneffective(parsed, IDLE_ON_STATIC, `on ${target}: its endpoints are not in a registry`)
}

const IDLE_ON_STATIC = ['selector', 'host', 'cache-max-age', 'rev', ...REGISTRY_FLAGS, ...TIMEOUT_FLAGS]

/**
 * Parses an `etcd:` URI. Returns null for a bare name.
 *
 * @throws DiscoError USAGE for another scheme: its endpoints are not in a registry
 */
function registryUri(text: string, options: SelectorOptions = {}): Target | null {
  const [, scheme, authority, path] = /^(etcd|dns|ipv4|ipv6|unix):(?:\/\/([^/]*)\/)?(.+)$/s.exec(text) ?? []
  if (scheme === undefined || path === undefined) return null
  if (scheme === SCHEME) return parseTarget({ authority, path }, options)
  throw new DiscoError('USAGE', `"${text}" is a target without a registry`, {
    suggestions: [
      'call, health, pick and resolve take it. This command needs a service: disco ls lists them',
    ],
  })
}
