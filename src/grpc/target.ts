import type { Query } from '../domain/discovery.js'
import { DiscoError } from '../domain/errors.js'

export const SCHEME = 'etcd'

/**
 * What a target names: `etcd:///SERVICE`, or `etcd://VERSION/SERVICE` for one version of it. Behind a question
 * mark, where the registry is not where the program's other services are: `?root=/prod&layout=kratos`.
 */
export interface Target {
  readonly service: string
  readonly version: string | null
  /** As in `Query`. */
  readonly place: Pick<Query, 'layout' | 'root'>
}

/** What may stand behind the question mark. */
const PARAMETERS = ['layout', 'root'] as const

export function targetOf(service: string): string {
  return `${SCHEME}:///${encodeURIComponent(service)}`
}

/** @throws DiscoError USAGE */
export function parseTarget(uri: { readonly authority?: string | undefined; readonly path: string }): Target {
  const [path = '', ...query] = uri.path.split('?')
  const service = decoded(path.replace(/^\//, ''))
  if (/^[^/]+(\/[^/]+)*$/.test(service)) {
    return { service, version: uri.authority || null, place: placeIn(query.join('?')) }
  }
  throw new DiscoError('USAGE', `The target names no service: "${uri.path}"`, {
    suggestions: ['Want etcd:///SERVICE or etcd://VERSION/SERVICE'],
  })
}

/** @throws DiscoError USAGE */
function placeIn(query: string): Target['place'] {
  const given = Object.fromEntries(new URLSearchParams(query))
  for (const name of Object.keys(given)) {
    if ((PARAMETERS as readonly string[]).includes(name)) continue
    throw new DiscoError('USAGE', `A target has no parameter "${name}"`, {
      suggestions: [`It has: ${PARAMETERS.join(', ')}`],
    })
  }
  return given
}

/** Empty where a percent sign stands for nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
