import { addressInUrl, withoutSecrets } from '../../domain/address.js'
import type { Query } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import { parseOrigins } from '../../domain/origins.js'
import {
  formatSelector,
  METADATA_PREFIX,
  parseSelector,
  type Selector,
  type SelectorOptions,
} from '../../domain/selector.js'

export const SCHEME = 'etcd'

/** A parsed `etcd:` target. */
export interface Target {
  readonly service: string
  /** The values that a selected endpoint must have: `version`, `id`, `addr`, or the name of a metadata field. */
  readonly where: Readonly<Record<string, string>>
  /** Further conditions that a selected endpoint must meet. */
  readonly select: Selector
  /** Whether calls go to all endpoints of the service if no endpoint with weight above 0 is selected. */
  readonly spillOver: boolean
  /** The layout and the root of the registry, and the names of the registries if there are several. */
  readonly place: Pick<Query, 'layout' | 'root' | 'from'>
}

/** Schemes that grpc-js resolves by itself. */
const OTHER_SCHEMES = ['dns', 'ipv4', 'ipv6', 'unix']

/** The parts of a target, as grpc-js splits it. */
export interface TargetUri {
  readonly scheme: string
  readonly authority?: string
  readonly path: string
}

const FORMS =
  'Expected etcd:///SERVICE, etcd://VERSION/SERVICE, or etcd:///SERVICE?version=V&zone=Z&spill-over'

/**
 * Splits a target into scheme, authority and path. A name without a scheme is a service of the registry. `host:port`
 * without a scheme is a `dns:` target, as in gRPC.
 *
 * @throws DiscoError USAGE for an unknown scheme, or a target without a host or socket
 */
export function splitTarget(text: string): TargetUri {
  const [, scheme, authority, path = ''] = /^(?:([A-Za-z0-9+.-]+):)?(?:\/\/([^/]*)\/)?(.+)$/s.exec(text) ?? []
  if (scheme !== undefined && [SCHEME, ...OTHER_SCHEMES].includes(scheme)) {
    if (scheme !== SCHEME && /^\/*$/.test(path)) {
      throw new DiscoError('USAGE', `The target "${text}" has no ${scheme === 'unix' ? 'socket' : 'host'}`)
    }
    return { scheme, path, ...(authority === undefined ? {} : { authority }) }
  }
  if (text.includes('://')) {
    throw new DiscoError('USAGE', `Unknown scheme of the target "${withoutSecrets(text)}"`, {
      suggestions: [
        ...addressInUrl(text),
        `Expected SERVICE, ${SCHEME}:///SERVICE, or one of ${OTHER_SCHEMES.join(', ')}`,
      ],
    })
  }
  if (/:\d+$/.test(text)) return { scheme: 'dns', path: text }
  return splitTarget(targetOf(text))
}

/**
 * The target of a service, for a channel. The name may contain any character: it is URL-encoded.
 *
 * @param select the conditions that an endpoint must meet. Default: none
 * @example
 * ```ts
 * import { targetOf } from 'disco-registry/grpc'
 *
 * targetOf('hello') // etcd:///hello
 * ```
 */
export function targetOf(service: string, select: Selector = []): string {
  const target = `${SCHEME}:///${encodeURIComponent(service)}`
  return select.length === 0 ? target : `${target}?select=${encodeURIComponent(formatSelector(select))}`
}

/**
 * All conditions of a target as one selector. The name `weight` in `where` is a metadata field, not the endpoint's
 * weight.
 */
export function selectorOf({
  where,
  select = [],
}: Pick<Target, 'where'> & Partial<Pick<Target, 'select'>>): Selector {
  const plain = Object.entries(where).map(([name, value]) => ({
    op: '=' as const,
    name: name === 'weight' ? `${METADATA_PREFIX}${name}` : name,
    value,
  }))
  return [...plain, ...select]
}

/** Formats a target with further conditions, for a channel. */
export function narrowedTarget(target: Target, select: Selector): string {
  const { service, spillOver, place } = target
  const selector = [...selectorOf(target), ...select]
  const parameters = {
    ...(selector.length === 0 ? {} : { select: formatSelector(selector) }),
    ...place,
    ...(spillOver ? { 'spill-over': 'true' } : {}),
  }
  const query = Object.entries(parameters).map(
    ([name, value]) => `${name}=${encodeURIComponent(value ?? '').replaceAll('%2F', '/')}`,
  )
  return [targetOf(service), ...(query.length === 0 ? [] : [query.join('&')])].join('?')
}

/**
 * The name for `:authority` and TLS: the last segment of the service's name, because a host must not contain a slash.
 */
export function authorityOf({ service }: Pick<Target, 'service'>): string {
  return service.slice(service.lastIndexOf('/') + 1)
}

/**
 * Parses `etcd:///SERVICE` and `etcd://VERSION/SERVICE`, with parameters after a question mark:
 * - `version`, `id`, `addr`, or the name of a metadata field: a value that every selected endpoint has
 * - `select`: a selector with further conditions, URL-encoded
 * - `spill-over`: use all endpoints if no selected one can receive calls
 * - `layout` and `root`: the registry
 * - `from`: the registries, if there are several (see `parseOrigins`)
 *
 * A `+` is not decoded to a space.
 *
 * @throws DiscoError USAGE for an invalid target
 */
export function parseTarget(
  uri: { readonly authority?: string | undefined; readonly path: string },
  options: SelectorOptions = {},
): Target {
  const [path = '', ...query] = uri.path.split('?')
  const service = decoded(path.replace(/^\//, ''))
  if (!/^[^/]+(\/[^/]+)*$/.test(service)) throw wrong(`The target has no service: "${uri.path}"`)
  const parameters: Record<string, string> = uri.authority ? { version: uri.authority } : {}
  for (const [name, value] of new URLSearchParams(query.join('?').replaceAll('+', '%2B'))) {
    if (name === '') throw wrong(`The target's selector has a value without a name: "${uri.path}"`)
    if (Object.hasOwn(parameters, name)) throw wrong(`The target has the parameter "${name}" twice`)
    parameters[name] = value
  }
  const { layout, root, from, select, 'spill-over': spillOver, ...where } = parameters
  if (from !== undefined) parseOrigins(from)
  const given = Object.entries({ layout, root, from }).filter(([, value]) => value !== undefined)
  const place: Target['place'] = Object.fromEntries(given)
  return {
    service,
    where,
    select: select === undefined ? [] : parseSelector(select, 'selector', options),
    spillOver: isTrue(spillOver ?? 'false'),
    place,
  }
}

function isTrue(value: string): boolean {
  if (value === '' || value === 'true') return true
  if (value === 'false') return false
  throw wrong(`The target's spill-over is "${value}", expected true or false`)
}

/** Decodes a URL-encoded text; empty for an invalid percent-encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

function wrong(message: string): DiscoError {
  return new DiscoError('USAGE', message, { suggestions: [FORMS] })
}
