import { expect, it } from 'vitest'
import { layoutNamed } from '../../../../src/domain/layouts/index.js'

const FRAME = '/service/default/default/hi/latest/1.2.3.4:1'

it.each([
  [
    'etcd',
    'hi/1.2.3.4:1',
    '{"Op":0,"Addr":"1.2.3.4:1","Metadata":{"id":9007199254740993,"ids":[18446744073709551615]}}',
  ],
  ['goframe', FRAME, '{"id":9007199254740993,"ids":[18446744073709551615]}'],
])('metadata of %s keep numbers that a double cannot hold, shown and written', (name, key, value) => {
  const layout = layoutNamed(name)
  const decoded = layout.decode(key, Buffer.from(value))
  if (decoded.kind !== 'endpoints') throw new Error(JSON.stringify(decoded))
  expect(decoded.records[0].metadata).toMatchObject({ id: '9007199254740993', ids: '[18446744073709551615]' })
  expect(layout.encode(decoded.records, null).value).toEqual(Buffer.from(value))
})

it('an error about a weight that is too large quotes its exact digits', () => {
  const value = '{"network":"tcp","address":"1.2.3.4:1","weight":123456789012345678901}'
  const decoded = layoutNamed('kitex').decode('kitex/registry-etcd/hi/1.2.3.4:1', Buffer.from(value))
  expect(JSON.stringify(decoded)).toContain('123456789012345678901')
})
