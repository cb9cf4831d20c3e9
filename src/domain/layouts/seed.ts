import { readAddress } from '../address.js'
import type { Registered } from '../endpoint.js'
import { DiscoError } from '../errors.js'
import { goJson } from './go-json.js'
import { spliceNumber } from './json-splice.js'
import type { Decoded, Layout, Unreadable } from './layout.js'

/** Nothing that names an endpoint has them; a terminal would obey them. */
const CONTROLS = /[\0-\x1f\x7f-\x9f]/

/**
 * The default layout: key `/{name}/[{version}/]{addr}`, value `{"name","addr","version","weight"}` in that
 * order; `id` and `metadata` follow only when they are given.
 */
export const seed: Layout = {
  name: 'seed',
  defaultTtlSeconds: 10,
  prefix: (service) => (service === undefined ? '/' : `/${service}/`),
  decode,
  encode,
  withWeight: (value, weight) => spliceNumber(value, 'weight', weight),
}

function encode(registered: Registered): { key: string; value: Uint8Array } {
  requireSegment('service name', registered.service)
  if (registered.version !== '') requireSegment('version', registered.version)
  const { service: name, addr, version, weight, id, metadata } = registered
  const value = {
    ...{ name, addr, version, weight },
    ...(id === undefined ? {} : { id }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  }
  return { key: keyOf(registered), value: Buffer.from(goJson(value)) }
}

/** Reads the value, then makes the key again to verify it: addresses such as unix:/path contain slashes. */
function decode(key: string, value: Uint8Array): Decoded {
  const fields = parseObject(value)
  if (typeof fields === 'string') return unreadable(key, fields)
  const { name = '', addr = '', version = '', weight = 0, id, metadata = {} } = fields
  if (typeof name !== 'string') return unreadable(key, wrongType('name', 'a string'))
  if (typeof addr !== 'string') return unreadable(key, wrongType('addr', 'a string'))
  if (typeof version !== 'string') return unreadable(key, wrongType('version', 'a string'))
  for (const [field, text] of Object.entries({ name, addr, version })) {
    if (CONTROLS.test(text)) return unreadable(key, `${field} has control characters`)
  }
  if (typeof weight !== 'number') return unreadable(key, wrongType('weight', 'a number'))
  if (!Number.isSafeInteger(weight) || weight < 0)
    return unreadable(key, `weight ${weight} is no integer >= 0`)
  if (id !== undefined && typeof id !== 'string') return unreadable(key, wrongType('id', 'a string'))
  if (!isStringMap(metadata)) return unreadable(key, wrongType('metadata', 'a map of strings'))
  const registered = {
    ...{ service: name, version, addr, weight, metadata },
    ...(id === undefined ? {} : { id }),
  }
  if (keyOf(registered) !== key) return unreadable(key, `value names ${keyOf(registered)}`)
  const address = readAddress(addr)
  if ('problem' in address) return unreadable(key, `address ${address.problem}`)
  if (address.kind === 'tcp' && address.host === '') return unreadable(key, 'address has no host')
  return [registered]
}

function keyOf({ service, version, addr }: Pick<Registered, 'service' | 'version' | 'addr'>): string {
  return version === '' ? `/${service}/${addr}` : `/${service}/${version}/${addr}`
}

function requireSegment(what: string, text: string): void {
  const problem =
    text === ''
      ? 'is empty'
      : text.includes('/')
        ? 'contains "/"'
        : CONTROLS.test(text)
          ? 'has control characters'
          : null
  if (problem === null) return
  throw new DiscoError('USAGE', `The ${what} "${text}" ${problem}`, {
    suggestions: [
      `A ${what} is one segment of an etcd key, such as ${what === 'version' ? '1.0.0' : 'hello'}`,
    ],
  })
}

function parseObject(value: Uint8Array): Record<string, unknown> | string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value).toString())
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed }
    return 'value is no JSON object'
  } catch {
    return 'value is not JSON'
  }
}

function isStringMap(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((entry) => typeof entry === 'string')
  )
}

function wrongType(field: string, wanted: string): string {
  return `${field} is not ${wanted}`
}

/** Takes from the key what the value does not tell: `/{service}/[{version}/]{the rest}`. */
function unreadable(key: string, problem: string): Unreadable {
  const [, service = '', ...rest] = key.split('/')
  const [version, ...addr] = rest.length > 1 && !rest[0]?.includes(':') ? rest : ['', ...rest]
  return { service, version: version ?? '', addr: addr.join('/'), problem }
}
