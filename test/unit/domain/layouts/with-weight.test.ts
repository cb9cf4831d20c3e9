import { describe, expect, it } from 'vitest'
import { LAYOUTS, layoutNamed } from '../../../../src/domain/layouts/index.js'

/** Values of foreign writers with everything that an editor might spoil; only what stands in ⟨⟩ changes. */
const VALUES: readonly [layout: string, marked: string, added?: string][] = [
  ['seed', '{ "x":"\\u003ca\\u0026b\\u003e", "weight" : ⟨1⟩ ,"addr":"a:1"}\r\n'],
  ['pandaychen', '{"AddrInfo":"a:1","Metadata":{"z":"\\u0026","weight":⟨"1"⟩,"a":"<b>"}}\n'],
  ['pandaychen', '{"AddrInfo":"a:1","Metadata":⟨null⟩}', '{"weight":"7"}'],
  [
    'kratos',
    '{"id":"1","metadata":{"weight":⟨"20"⟩,"zone":"sh\\u0026bj"},"endpoints":[],"more":[{"weight":1}]}',
  ],
  ['kratos', '{"id":"1","name":"a","metadata":{"zone":"b"⟨⟩},"endpoints":[]}', ',"weight":"7"'],
  ['kitex', '{"network":"tcp","address":"a:1","weight":⟨10⟩,"tags":{"weight":"3","zone":"\\u003ca\\u003e"}}'],
  ['hertz', '{"weight":⟨1e1⟩,"tags":{"k":"<a&b>"},"network":"tcp","address":"a:1"} '],
  ['goframe', '{"insecure":true,"weight":⟨10⟩,"protocol":"http"}'],
  ['goframe', '{"weight":⟨"10"⟩,"n":1.50}', '"7"'],
  ['goframe', '{"protocol":"grpc"⟨⟩}', ',"weight":7'],
  ['dubbo-go-app', '{"ID":"x","Port":20000,"Weight":⟨0⟩,"Metadata":{"Weight":"1"},"Tag":""}\n'],
  ['rpcx', 'calls=0.00&weight=⟨7⟩&group=a%20b&tags=x+y'],
  ['rpcx', 'weight=⟨7⟩&group=test'],
  ['rpcx', 'group=test&weights=1⟨⟩', '&weight=7'],
  ['rpcx', '⟨⟩', 'weight=7'],
  ['skydns', '{"host":"a","ttl":60,"weight":⟨20⟩,"port":1}'],
  ['skydns', '{"host":"1.1.1.1","ttl":60⟨⟩}', ',"weight":7'],
  [
    'jupiter',
    '{"Op":0,"Addr":"a:1","weight":3,"MetadataX":{"weight":⟨0.5⟩,"kind":1,"metadata":{"weight":"1"}}}',
  ],
  ['ego', '{"name":"a","weight":⟨0.5⟩,"metadata":{"weight":"9"},"services":null}'],
]

describe('a new weight changes the bytes of the weight and no other byte', () => {
  it.each(VALUES)('%s %s', (name, marked = '', added) => {
    const [before = '', old = '', after = ''] = marked.split(/[⟨⟩]/)
    const expected = added ?? (old.startsWith('"') ? '"7"' : '7')
    const changed = layoutNamed(name).withWeight(Buffer.from(before + old + after), 7)
    expect(Buffer.from(changed).toString()).toBe(before + expected + after)
  })

  it('bytes that are not UTF-8 stay unchanged', () => {
    const bytes = Buffer.from([0x61, 0x3d, 0xff, 0x26, ...Buffer.from('weight=1&b='), 0x80])
    const changed = Buffer.from(layoutNamed('rpcx').withWeight(bytes, 42))
    expect(changed.toString('latin1')).toBe(bytes.toString('latin1').replace('weight=1', 'weight=42'))
  })

  it('every layout with weights has a test case, and the others throw the reason', () => {
    const weighted = LAYOUTS.filter(({ weightless }) => weightless === null).map(({ name }) => name)
    expect([...new Set(VALUES.map(([name]) => name))]).toEqual(weighted)
    for (const layout of LAYOUTS.filter(({ weightless }) => weightless !== null)) {
      expect(() => layout.withWeight(Buffer.from('{}'), 7)).toThrow(`carries no weight: ${layout.weightless}`)
    }
  })
})
