import { describe, expect, it, test } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { differencesBetween } from '../../../src/domain/registry-diff.js'
import { type PatchOperation, patchBetween, stateDoc } from '../../../src/domain/state-patch.js'

function endpoint(of: Partial<Endpoint> = {}): Endpoint {
  const { service = 'hello', version = '1.0.0', addr = 'a:1' } = of
  const key = `/${service}/${version}/${addr}`
  const stored = { key, layout: 'seed', problem: null, lease: null, createRevision: 1, modRevision: 1 }
  return { service, version, addr, weight: 1, metadata: {}, ...stored, ...of }
}

/** Differences as `-a:1`, `+b:2` and `~c:3 weight 1>2`. */
function differences(
  from: readonly Endpoint[],
  to: readonly Endpoint[],
  isKnown?: (field: string) => boolean,
): string[] {
  return differencesBetween(from, to, isKnown).map((one) => {
    const glyph = one.from === null ? '+' : one.to === null ? '-' : '~'
    const fields = one.fields.map(({ field, from, to, notCarriedBy }) => {
      return ` ${field} ${from}>${to}${notCarriedBy === undefined ? '' : ` !${notCarriedBy}`}`
    })
    return `${glyph}${(one.to ?? one.from)?.addr}${fields.join()}`
  })
}

describe('differences between two states', () => {
  it('do not include leases, revisions and keys', () => {
    const other = endpoint({ lease: '1eeea1fb579bfc07', modRevision: 9, createRevision: 8, key: '/other/x' })
    expect(differences([endpoint()], [other])).toEqual([])
  })

  it('include endpoints that are in only one state, by service, address and version', () => {
    const from = [endpoint(), endpoint({ addr: 'b:2' }), endpoint({ service: 'pay', addr: 'c:3' })]
    const to = [
      endpoint(),
      endpoint({ addr: 'b:2', version: '2.0.0' }),
      endpoint({ service: 'pay2', addr: 'c:3' }),
    ]
    expect(differences(from, to)).toEqual(['-b:2', '+b:2', '-c:3', '+c:3'])
  })

  it.each<[string, Partial<Endpoint>, string]>([
    ['weight', { weight: 5 }, ' weight 1>5'],
    ['metadata', { metadata: { zone: 'b' } }, ' metadata.zone null>b'],
    ['id', { id: 'x' }, ' id null>x'],
    [
      'problem',
      { problem: { kind: 'unreadable', text: 'value is not JSON' } },
      ' problem null>value is not JSON',
    ],
    ['what only the layout knows', { extra: { network: 'tcp' } }, ' network null>tcp'],
    ['layout', { layout: 'kratos' }, ' layout seed>kratos'],
  ])('%s is a field', (_, change, expected) => {
    expect(differences([endpoint()], [endpoint(change)])[0]).toContain(`~a:1${expected}`)
  })

  it('in a field that one layout cannot carry are listed, and the layout is named', () => {
    const zero = endpoint({ layout: 'etcd', version: '', weight: 0 })
    expect(differences([endpoint()], [zero])).toEqual([
      '~a:1 layout seed>etcd, version 1.0.0>null !etcd, weight 1>null !etcd',
    ])
    expect(differences([zero], [{ ...zero, key: 'other' }])).toEqual([])
  })

  it('include the version if both layouts carry one', () => {
    expect(differences([endpoint()], [endpoint({ version: '' })])).toEqual(['+a:1', '-a:1'])
  })

  it('do not include an id that is a lease, or a weight that is repeated in the metadata', () => {
    const zero = endpoint({ layout: 'go-zero', id: '7587', version: '', weight: 0 })
    expect(differences([zero], [{ ...zero, id: '9999', key: 'x' }])).toEqual([])
    const kept = (weight: number) =>
      endpoint({ weight, metadata: { weight: String(weight) }, layout: 'rpcx' })
    expect(differences([kept(1)], [kept(2)])).toEqual(['~a:1 weight 1>2'])
  })

  it('are limited to the selected fields', () => {
    const changed = endpoint({ id: 'x', weight: 2 })
    expect(differences([endpoint()], [changed], (field) => field === 'weight')).toEqual(['~a:1 weight 1>2'])
  })

  it('pair equal keys first if an address is registered twice', () => {
    const [one, two] = [endpoint({ key: 'k1', weight: 1 }), endpoint({ key: 'k2', weight: 2 })]
    expect(differences([one, two], [two, one])).toEqual([])
    expect(differences([one, two], [two])).toEqual(['-a:1'])
  })

  it('are sorted by address, and numbers are compared by value', () => {
    const ports = [1000, 900, 10].map((port) => endpoint({ addr: `10.0.0.1:${port}` }))
    expect(differences([], ports)).toEqual(['+10.0.0.1:10', '+10.0.0.1:900', '+10.0.0.1:1000'])
  })
})

/** Applies a patch by RFC 6902. */
function patched(doc: object, operations: readonly PatchOperation[]): unknown {
  const result = structuredClone(doc) as Record<string, unknown>
  for (const operation of operations) {
    const names = operation.path
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = names.pop() ?? ''
    const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, result)
    if (operation.op !== 'add' && !Object.hasOwn(parent, last))
      throw new Error(`${operation.path} is missing`)
    if (operation.op === 'remove') delete parent[last]
    else Object.defineProperty(parent, last, { value: operation.value, enumerable: true, configurable: true })
  }
  return result
}

test('a patch transforms one state into the other', () => {
  const odd = endpoint({ addr: 'unix:/a~b/c', service: 'x/y', metadata: { 'a/b~': '1' } })
  const states = [
    [],
    [endpoint(), endpoint({ addr: 'b:2', weight: 3 })],
    [endpoint({ weight: 2, metadata: { zone: 'a' } })],
    [endpoint({ key: 'k1' }), endpoint({ key: 'k2', weight: 9 })],
    [odd, endpoint({ service: 'pay', extra: { port: { a: [1] } } })],
    [{ ...odd, metadata: {} }, endpoint({ service: 'pay', extra: { port: { a: [2] } }, version: '' })],
    [endpoint({ service: '__proto__', addr: 'constructor' })],
  ].map((endpoints) => stateDoc(endpoints))
  for (const from of states) {
    for (const to of states) {
      const patch = patchBetween(from, to)
      expect(patched(from, patch)).toEqual(to)
      expect(patch.length === 0).toBe(JSON.stringify(from) === JSON.stringify(to))
    }
  }
})
