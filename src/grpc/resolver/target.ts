import type { Query } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import { parseSelector, type Selector } from '../../domain/selector.js'

export const SCHEME = 'etcd'

/** A parsed target: the service, the selected endpoints, and a layout or root of its own. */
export interface Target {
  readonly service: string
  /** Required values of an endpoint's version, id, addr or metadata. */
  readonly where: Readonly<Record<string, string>>
  /** Further conditions that an endpoint meets. */
  readonly select: Selector
  /** Whether calls go to all endpoints of the service when no selected endpoint can be picked. */
  readonly spillOver: boolean
  /** As in `Query`. */
  readonly place: Pick<Query, 'layout' | 'root'>
}

const FORMS =
  'Expected etcd:///SERVICE, etcd://VERSION/SERVICE, or etcd:///SERVICE?version=V&zone=Z&spill-over'

/** The target of a service, as a channel takes it: any character of its name may stand in it. */
export function targetOf(service: string): string {
  return `${SCHEME}:///${encodeURIComponent(service)}`
}

/** Becomes :authority and the name in TLS: the service's name, as a host would be, without a slash. */
export function authorityOf({ service }: Pick<Target, 'service'>): string {
  return service.slice(service.lastIndexOf('/') + 1)
}

/**
 * Reads `etcd:///SERVICE`, `etcd://VERSION/SERVICE`, and what stands behind a question mark: `version=1.0.0`,
 * `id=…`, `addr=…` or any key of the metadata, all of which an endpoint must match, `select=SELECTOR` for other
 * conditions (URL-encoded), and `spill-over`; `layout` and `root` say where the registry is. A `+` is a plus.
 *
 * @throws DiscoError USAGE
 */
export function parseTarget(uri: { readonly authority?: string | undefined; readonly path: string }): Target {
  const [path = '', ...query] = uri.path.split('?')
  const service = decoded(path.replace(/^\//, ''))
  if (!/^[^/]+(\/[^/]+)*$/.test(service)) throw wrong(`The target names no service: "${uri.path}"`)
  const parameters: Record<string, string> = uri.authority ? { version: uri.authority } : {}
  for (const [name, value] of new URLSearchParams(query.join('?').replaceAll('+', '%2B'))) {
    if (name === '') throw wrong(`The target's selector has a value without a name: "${uri.path}"`)
    if (Object.hasOwn(parameters, name)) throw wrong(`The target says twice what "${name}" must be`)
    parameters[name] = value
  }
  const { layout, root, select, 'spill-over': spillOver, ...where } = parameters
  const place = { ...(layout === undefined ? {} : { layout }), ...(root === undefined ? {} : { root }) }
  return {
    service,
    where,
    select: select === undefined ? [] : parseSelector(select),
    spillOver: isTrue(spillOver ?? 'false'),
    place,
  }
}

function isTrue(value: string): boolean {
  if (value === '' || value === 'true') return true
  if (value === 'false') return false
  throw wrong(`The target's spill-over is "${value}", expected true or false`)
}

/** Decoded text; empty for an invalid percent-encoding. */
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
