import { describe, expect, it } from 'vitest'
import type { EndpointRecord } from '../../../../src/domain/endpoint.js'
import { DEFAULT_LAYOUT } from '../../../../src/domain/layouts/index.js'
import { seed } from '../../../../src/domain/layouts/seed.js'
import { errorOf } from '../../../support/errors.js'

const HELLO: EndpointRecord = {
  service: 'hello',
  version: '1.0.0',
  addr: '127.0.0.1:1001',
  weight: 1,
  metadata: {},
}

function stored(registered: EndpointRecord): [string, string] {
  const { key, value } = seed.encode([registered], null)
  return [key, Buffer.from(value).toString()]
}

function decode(key: string, value: unknown) {
  return seed.decode(key, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
}

function problemOf(key: string, value: unknown): string {
  const decoded = decode(key, value)
  if (decoded.kind === 'unusable') return decoded.problem.text
  throw new Error(`${key} was read`)
}

describe('the seed layout', () => {
  it('is the default', () => {
    expect(DEFAULT_LAYOUT).toBe(seed)
    expect(seed.defaultTtlSeconds).toBe(10)
  })

  it('lists with a prefix that no longer service name matches', () => {
    expect(seed.prefix('hello')).toBe('/hello/')
    expect(seed.prefix()).toBe('/')
  })
})

describe('encode', () => {
  it('writes four members in the order of the source documents', () => {
    expect(stored(HELLO)).toEqual([
      '/hello/1.0.0/127.0.0.1:1001',
      '{"name":"hello","addr":"127.0.0.1:1001","version":"1.0.0","weight":1}',
    ])
  })

  it('leaves an empty version out of the key and keeps it in the value', () => {
    expect(stored({ ...HELLO, version: '', weight: 0 })).toEqual([
      '/hello/127.0.0.1:1001',
      '{"name":"hello","addr":"127.0.0.1:1001","version":"","weight":0}',
    ])
  })

  it('writes id and metadata last, and only if they are given', () => {
    const [, value] = stored({ ...HELLO, id: 'a&b', metadata: { zone: 'b' } })
    expect(value).toBe(
      String.raw`{"name":"hello","addr":"127.0.0.1:1001","version":"1.0.0","weight":1,"id":"a\u0026b","metadata":{"zone":"b"}}`,
    )
  })

  it.each<[string, Partial<EndpointRecord>, string]>([
    ['an empty name', { service: '' }, 'The service name "" is empty'],
    ['a slash in the name', { service: 'a/b' }, 'The service name "a/b" contains "/"'],
    ['a slash in the version', { version: '1/2' }, 'The version "1/2" contains "/"'],
    ['a newline in the name', { service: 'a\n' }, 'The service name "a\n" has control characters'],
    ['DEL in the version', { version: '\u007f' }, 'The version "\u007f" has control characters'],
  ])('refuses %s', (_, wrong, message) => {
    expect(errorOf(() => seed.encode([{ ...HELLO, ...wrong }], null))).toMatchObject({
      code: 'USAGE',
      message,
    })
  })
})

describe('decode', () => {
  it('reads the output of encode', () => {
    const full: EndpointRecord = { ...HELLO, id: 'x', metadata: { zone: 'b' } }
    for (const registered of [HELLO, full, { ...HELLO, version: '' }]) {
      const { key, value } = seed.encode([registered], null)
      expect(seed.decode(key, value)).toEqual({ kind: 'endpoints', records: [registered] })
    }
  })

  it('reads an address with slashes: the value shows where the address begins in the key', () => {
    const { key, value } = seed.encode([{ ...HELLO, addr: 'unix:/var/run/hello.sock' }], null)
    expect(key).toBe('/hello/1.0.0/unix:/var/run/hello.sock')
    expect(seed.decode(key, value)).toEqual({
      kind: 'endpoints',
      records: [{ ...HELLO, addr: 'unix:/var/run/hello.sock' }],
    })
  })

  it('reads omitted members of a Go writer as zero values, and ignores unknown members', () => {
    expect(decode('/hello/a:1', { name: 'hello', addr: 'a:1', since: 12, tags: ['x'] })).toEqual({
      kind: 'endpoints',
      records: [{ service: 'hello', version: '', addr: 'a:1', weight: 0, metadata: {} }],
    })
  })

  it.each<[string, unknown, string]>([
    ['no JSON', '{"name":', 'value is not JSON'],
    ['an empty value', '', 'value is not JSON'],
    ['trailing bytes', '{}x', 'value is not JSON'],
    ['an array', [], 'value is not a JSON object'],
    ['null', 'null', 'value is not a JSON object'],
    ['a name of another type', { name: 1 }, 'name is not a string'],
    ['an address of another type', { addr: 1 }, 'addr is not a string'],
    ['a version of another type', { version: 1 }, 'version is not a string'],
    ['a weight of another type', { weight: '1' }, 'weight is not a number'],
    ['a negative weight', { weight: -1 }, 'weight -1 is not an integer >= 0'],
    ['a broken weight', { weight: 1.5 }, 'weight 1.5 is not an integer >= 0'],
    [
      'a weight too large to be exact',
      '{"weight":9007199254740992}',
      'weight 9007199254740992 is not an integer >= 0',
    ],
    ['an id of another type', { id: 1 }, 'id is not a string'],
    ['metadata with a number', { metadata: { a: 1 } }, 'metadata is not a map of strings'],
    ['metadata that is a list', { metadata: [] }, 'metadata is not a map of strings'],
    ['another name', { name: 'bye', addr: 'a:1' }, 'value names /bye/a:1'],
    ['another version', { name: 'hello', version: '2', addr: 'a:1' }, 'value names /hello/2/a:1'],
  ])('names the problem of %s', (_, value, problem) => {
    expect(problemOf('/hello/a:1', value)).toBe(problem)
  })

  it.each([
    ['/hello/a', 'a', 'address has no port'],
    ['/hello/:1', ':1', 'address has no host'],
    ['/hello/a:99999', 'a:99999', 'address has port 99999, outside 1-65535'],
  ])('reads an address that cannot be dialled, with the reason: %s', (key, addr, text) => {
    const problem = { kind: 'not-dialled', text }
    expect(decode(key, { name: 'hello', addr })).toEqual({
      kind: 'endpoints',
      records: [{ service: 'hello', version: '', addr, weight: 0, metadata: {}, problem }],
    })
  })

  it.each([
    ['/hello/1.0.0/a:1', { service: 'hello', version: '1.0.0', addr: 'a:1' }],
    ['/hello/a:1', { service: 'hello', version: '', addr: 'a:1' }],
    ['/hello/unix:/var/x', { service: 'hello', version: '', addr: 'unix:/var/x' }],
    ['/hello/1.0.0/unix:/var/x', { service: 'hello', version: '1.0.0', addr: 'unix:/var/x' }],
    ['/hello/x', { service: 'hello', version: '', addr: 'x' }],
    ['/hello', { service: 'hello', version: '', addr: '' }],
    ['', { service: '', version: '', addr: '' }],
  ])('takes from the key %s what an unreadable value lacks', (key, place) => {
    expect(decode(key, 'no JSON')).toEqual({
      kind: 'unusable',
      ...place,
      problem: { kind: 'unreadable', text: 'value is not JSON' },
    })
  })

  it('does not read a member named __proto__ as metadata', () => {
    expect(decode('/hello/a:1', '{"name":"hello","addr":"a:1","__proto__":{"weight":5}}')).toEqual({
      kind: 'endpoints',
      records: [{ service: 'hello', version: '', addr: 'a:1', weight: 0, metadata: {} }],
    })
  })
})

it('withWeight keeps every other byte of a value from another writer', () => {
  const value = Buffer.from('{ "addr":"a:1", "weight": 1, "extra":{"weight":9} }\n')
  expect(Buffer.from(seed.withWeight(value, 25)).toString()).toBe(
    '{ "addr":"a:1", "weight": 25, "extra":{"weight":9} }\n',
  )
})
