import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { HostNames } from '../../../src/xds/host-names.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A resolver whose answers the test changes; a host without one does not answer. */
function followed(answers: Map<string, readonly string[] | Error>) {
  const changes: string[][] = []
  let lookups = 0
  const names = new HostNames({
    lookup: (host) => {
      lookups++
      const answer = answers.get(host)
      if (answer === undefined) return new Promise(() => undefined)
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    changed: (services) => changes.push([...services]),
  })
  return { names, changes, lookups: () => lookups }
}

it('follows a host name, reports only changed addresses, and keeps the last addresses if a lookup fails', async () => {
  const answers = new Map<string, readonly string[] | Error>([['web', ['10.0.0.2', '10.0.0.1']]])
  const { names, changes } = followed(answers)
  names.use('hello', new Set(['web']))
  names.use('carts', new Set(['web']))
  expect(names.progressOf('web')).toBe('awaited')
  await vi.advanceTimersByTimeAsync(0)
  expect(names.progressOf('web')).toBe('ended')
  expect(names.ipsOf('web')).toEqual(['10.0.0.1', '10.0.0.2'])
  expect(changes).toEqual([['hello', 'carts']])
  answers.set('web', ['10.0.0.1', '10.0.0.2'])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(changes).toHaveLength(1)
  answers.set('web', new Error('ENOTFOUND'))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(names.ipsOf('web')).toEqual(['10.0.0.1', '10.0.0.2'])
  answers.set('web', ['10.0.0.3'])
  // After a failure the wait is up to half longer.
  await vi.advanceTimersByTimeAsync(15_000)
  expect(names.ipsOf('web')).toEqual(['10.0.0.3'])
  expect(changes).toHaveLength(2)
  names.close()
  expect(vi.getTimerCount()).toBe(0)
})

it('reports a name as late two seconds after the start of its lookup, not counting its time in the queue', async () => {
  const { names, changes } = followed(new Map())
  names.use('hello', new Set(['mute', 'dumb', 'queued']))
  await vi.advanceTimersByTimeAsync(1_999)
  expect(names.progressOf('mute')).toBe('awaited')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(names.progressOf('mute')).toBe('late')
  expect(names.progressOf('dumb')).toBe('late')
  expect(names.progressOf('queued')).toBe('awaited')
  expect(changes).toEqual([['hello'], ['hello']])
  names.close()
})

it('looks up names without an answer first, and failing names less and less often', async () => {
  const asked: string[] = []
  const names = new HostNames({
    // Dead names fail after 10 s, as those of an unreachable DNS server do.
    lookup: (host) => {
      asked.push(host)
      if (!host.startsWith('dead')) return Promise.resolve(['10.0.0.1'])
      return new Promise((_, reject) => setTimeout(() => reject(new Error('ETIMEOUT')), 10_000))
    },
    changed: () => undefined,
  })
  names.use('hello', new Set(['good', 'dead-1', 'dead-2', 'dead-3']))
  await vi.advanceTimersByTimeAsync(25_000)
  const before = asked.length
  names.use('carts', new Set(['fresh']))
  await vi.advanceTimersByTimeAsync(0)
  expect(asked.slice(before)).toEqual(['fresh'])
  await vi.advanceTimersByTimeAsync(600_000)
  const asks = (name: string) => asked.filter((one) => one === name).length
  expect(asks('good')).toBeGreaterThan(50)
  expect(asks('dead-1')).toBeLessThan(12)
  expect(asks('dead-1')).toBeGreaterThan(4)
  names.close()
})

it('stops looking up a name that no service has any more', async () => {
  const { names, lookups } = followed(new Map([['web', ['10.0.0.1']]]))
  names.use('hello', new Set(['web']))
  await vi.advanceTimersByTimeAsync(0)
  names.use('hello', new Set())
  await vi.advanceTimersByTimeAsync(60_000)
  expect(lookups()).toBe(1)
  expect(names.ipsOf('web')).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
