import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Change } from '../../../../src/domain/discovery.js'
import { LiveList } from '../../../../src/grpc/resolver/live-list.js'
import { endpoint } from '../../../support/endpoints.js'

const [A, B] = [endpoint({ key: '/hello/a' }), endpoint({ key: '/hello/b' })]

let delivered: string[]
let list: LiveList
let revision: number

beforeEach(() => {
  vi.useFakeTimers()
  delivered = []
  revision = 1
  list = new LiveList(({ registered }) => void delivered.push(registered.map(({ key }) => key).join()))
  list.take({ type: 'reset', revision, endpoints: [A, B], source: 'etcd', ageMs: 0 })
  vi.advanceTimersByTime(1_000)
  delivered = []
})
afterEach(() => {
  vi.useRealTimers()
})

function take(change: Change): void {
  revision++
  list.take({ type: 'changes', revision, changes: [change] })
}
const put = ({ key }: { readonly key: string }) => take({ type: 'put', key, endpoints: [endpoint({ key })] })
const remove = ({ key }: { readonly key: string }) => take({ type: 'delete', key })

it('delivers a deletion after 20 ms, but not an empty list if the keys are back within 100 ms', () => {
  remove(A)
  vi.advanceTimersByTime(20)
  expect(delivered).toEqual([B.key])
  remove(B)
  vi.advanceTimersByTime(90)
  put(A)
  put(B)
  vi.advanceTimersByTime(1_000)
  expect(delivered).toEqual([B.key, `${A.key},${B.key}`])
})

it('delivers an empty list 100 ms after the first deletion', () => {
  remove(A)
  vi.advanceTimersByTime(10)
  remove(B)
  vi.advanceTimersByTime(89)
  expect(delivered).toEqual([])
  vi.advanceTimersByTime(1)
  expect(delivered).toEqual([''])
})
