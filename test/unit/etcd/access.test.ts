import { expect, test } from 'vitest'
import { type Access, grantOf, keysOf } from '../../../src/etcd/access.js'
import { oneKey, prefixRange } from '../../../src/etcd/key-range.js'

const reading = ({ key, range_end }: ReturnType<typeof prefixRange>, isOneOfSeveral = false): Access => ({
  kind: 'read',
  key,
  isOneOfSeveral,
  rangeEnd: range_end,
})

test.each([
  ['a prefix', reading(prefixRange('/hello/')), '/hello/', 'read /hello/ --prefix'],
  ['a key', reading(oneKey('/hello/a')), '/hello/a', 'read /hello/a'],
  ['every key', reading(prefixRange('')), 'every key', 'read "" --prefix'],
  ['a key that a shell would read', reading(oneKey('/a b')), '/a b', "read '/a b'"],
] as const)('%s: the grant is named', (_, access, keys, grant) => {
  expect(keysOf(access)).toBe(keys)
  expect(grantOf(access)).toBe(`etcdctl role grant-permission ROLE ${grant}`)
})

test('the grant is null for a later page of a range, and for one request of several', () => {
  const { range_end } = prefixRange('/hello/')
  const page: Access = {
    kind: 'read',
    key: Buffer.from('/hello/b'),
    rangeEnd: range_end,
    isOneOfSeveral: false,
  }
  expect(grantOf(page)).toBeNull()
  expect(grantOf(reading(prefixRange('/hello/'), true))).toBeNull()
})
