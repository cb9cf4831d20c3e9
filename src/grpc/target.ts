import { DiscoError } from '../domain/errors.js'

export const SCHEME = 'etcd'

/** What a target names: a service, and which of its endpoints. */
export interface Target {
  readonly service: string
  /** What an endpoint's version, id, addr or metadata must be. */
  readonly where: Readonly<Record<string, string>>
  /** Whether all of the service stands in where nobody of the selected could get a call. */
  readonly spillOver: boolean
}

const FORMS = 'Want etcd:///SERVICE, etcd://VERSION/SERVICE, or etcd:///SERVICE?version=V&zone=Z&spill-over'

export function targetOf(service: string): string {
  return `${SCHEME}:///${encodeURIComponent(service)}`
}

/**
 * Reads `etcd:///SERVICE`, `etcd://VERSION/SERVICE`, and a selector behind a question mark: `version=1.0.0`,
 * `id=…`, `addr=…` or any key of the metadata, all of which an endpoint must match, and `spill-over`.
 *
 * @throws DiscoError USAGE
 */
export function parseTarget(uri: { readonly authority?: string | undefined; readonly path: string }): Target {
  const [path = '', ...more] = uri.path.split('?')
  const service = decoded(path.replace(/^\//, ''))
  if (service === '' || service.includes('/')) throw wrong(`The target names no service: "${uri.path}"`)
  const where: Record<string, string> = uri.authority ? { version: uri.authority } : {}
  let spillOver = false
  for (const [name, value] of new URLSearchParams(more.join('?'))) {
    if (name === 'spill-over') spillOver = isTrue(value)
    else if (name === '') throw wrong(`The target's selector has a value without a name: "${uri.path}"`)
    else if (Object.hasOwn(where, name)) throw wrong(`The target says twice what "${name}" must be`)
    else where[name] = value
  }
  return { service, where, spillOver }
}

function isTrue(value: string): boolean {
  if (value === '' || value === 'true') return true
  if (value === 'false') return false
  throw wrong(`The target's spill-over is "${value}", want true or false`)
}

/** Empty where a percent sign stands for nothing. */
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
