import { DiscoError } from '../domain/errors.js'

export const SCHEME = 'etcd'

/** What a target names: `etcd:///SERVICE`, or `etcd://VERSION/SERVICE` for one version of it. */
export interface Target {
  readonly service: string
  readonly version: string | null
}

export function targetOf(service: string): string {
  return `${SCHEME}:///${encodeURIComponent(service)}`
}

/** @throws DiscoError USAGE */
export function parseTarget(uri: { readonly authority?: string | undefined; readonly path: string }): Target {
  const service = decoded(uri.path.replace(/^\//, ''))
  if (service !== '' && !service.includes('/')) return { service, version: uri.authority || null }
  throw new DiscoError('USAGE', `The target names no service: "${uri.path}"`, {
    suggestions: ['Want etcd:///SERVICE or etcd://VERSION/SERVICE'],
  })
}

/** Empty where a percent sign stands for nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
