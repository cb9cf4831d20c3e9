import { expect, it } from 'vitest'
import { endpointsDoc } from '../../../../src/cli/endpoints/document.js'
import { renderEndpoints, renderRows, rowsOf } from '../../../../src/cli/endpoints/table.js'
import { endpoint } from '../../../support/endpoints.js'
import { colored, plain } from '../../../support/palettes.js'

const LEASE = '1eeea1fb579bfc07'
const ttls = new Map([[LEASE, { ttlSeconds: 7, grantedTtlSeconds: 10 }]])
const list = {
  revision: 1042,
  endpoints: [
    endpoint({ addr: 'a:1', weight: 1, lease: LEASE, modRevision: 1030 }),
    endpoint({ addr: 'b:1', weight: 0, lease: LEASE, modRevision: 1041 }),
    endpoint({ addr: 'c:1', weight: 3, lease: null, modRevision: 112 }),
    endpoint({
      addr: 'd:1',
      weight: 0,
      lease: '00000000000000ff',
      problem: { kind: 'unreadable', text: 'value is not \u001bJSON' },
      modRevision: 5,
    }),
  ],
}
const doc = endpointsDoc('hello', list, ttls)

it('shows the state of each endpoint by a glyph and in words, with its share and its problem', () => {
  expect(renderEndpoints([doc], plain)).toBe(
    [
      '   ADDRESS  VERSION  WEIGHT  SHARE     TTL  LEASE   REV  NOTE',
      '●  a:1      1.0.0         1  25.0%  7s/10s  …fc07  1030',
      '◐  b:1      1.0.0         0   0.0%  7s/10s  …fc07  1041  drained',
      '✗  c:1      1.0.0         3  75.0%    none  none    112  no lease',
      '✗  d:1      1.0.0         –   0.0%   ended  …00ff     5  value is not \\u001bJSON',
    ].join('\n'),
  )
})

it('shows equal shares if weights are unset', () => {
  const unset = { revision: 1, endpoints: ['a:1', 'b:1'].map((addr) => endpoint({ addr, weight: 0 })) }
  const lines = renderEndpoints([endpointsDoc('hello', unset, ttls)], plain).split('\n')
  for (const line of lines.slice(1)) expect(line).toMatch(/^● .* 50\.0% .* weights unset$/)
})

it('orders endpoints by version and address, and compares numbers by value', () => {
  const addrs = ['10.0.0.10:80', '10.0.0.9:1000', '10.0.0.9:900']
  const endpoints = ['1.10.0', '1.9.0'].flatMap((version) => addrs.map((addr) => endpoint({ version, addr })))
  const [, ...rows] = renderEndpoints([endpointsDoc('hello', { revision: 1, endpoints }, ttls)], plain).split(
    '\n',
  )
  expect(rows.map((row) => row.split(/ +/).slice(1, 3).join(' '))).toEqual(
    ['1.9.0', '1.10.0'].flatMap((version) => addrs.toReversed().map((addr) => `${addr} ${version}`)),
  )
})

it('colors the glyphs', () => {
  const painted = renderEndpoints([doc], colored)
  for (const glyph of [colored.green('●'), colored.yellow('◐'), colored.red('✗')]) {
    expect(painted).toContain(glyph)
  }
})

it('-o wide shows key, layout and the whole lease, and omits the remaining TTL without a TTL column', () => {
  const [head = '', first = ''] = renderEndpoints([doc], plain, { wide: true, withTtl: false }).split('\n')
  expect(head).toMatch(/LEASE +REV +CREATED +LAYOUT +KEY/)
  expect(head).not.toContain('TTL')
  expect(first).toContain(LEASE)
  expect(first).toContain('/hello/1.0.0/a:1')
})

it('names the service of each endpoint if there are several services, and computes shares per service', () => {
  const unset = { revision: 1, endpoints: ['x:1', 'y:1'].map((addr) => endpoint({ addr, weight: 0 })) }
  const docs = [doc, endpointsDoc('pay', unset, ttls)]
  const looks = { withTtl: false, withService: true }
  expect(renderRows(rowsOf(docs).slice(0, 5), plain, looks).split('\n')).toEqual([
    '   SERVICE  ADDRESS  VERSION  WEIGHT  SHARE  LEASE   REV  NOTE',
    '●  hello    a:1      1.0.0         1  25.0%  …fc07  1030',
    '◐  hello    b:1      1.0.0         0   0.0%  …fc07  1041  drained',
    '✗  hello    c:1      1.0.0         3  75.0%  none    112  no lease',
    '✗  hello    d:1      1.0.0         –   0.0%  …00ff     5  value is not \\u001bJSON',
    expect.stringMatching(/^. +pay +x:1 +1.0.0 +0 +50.0% .*weights unset$/),
  ])
})

it('has leases in hex, revisions as text, shares with four digits, and null for unknown values', () => {
  expect(doc).toMatchObject({
    schema: 'disco.endpoints/v1',
    service: 'hello',
    rev: '1042',
    weightsUnset: false,
  })
  expect(doc.endpoints[0]).toEqual({
    key: '/hello/1.0.0/a:1',
    layout: 'seed',
    addr: 'a:1',
    version: '1.0.0',
    weight: 1,
    share: 0.25,
    lease: LEASE,
    ttlSeconds: 7,
    grantedTtlSeconds: 10,
    createRevision: '1',
    modRevision: '1030',
    metadata: {},
    problem: null,
    hints: [],
    ready: null,
    health: null,
  })
  expect(doc.endpoints[2]).toMatchObject({ lease: null, ttlSeconds: null, grantedTtlSeconds: null })
  expect(doc.endpoints[3]).toMatchObject({ lease: '00000000000000ff', ttlSeconds: null })
})
