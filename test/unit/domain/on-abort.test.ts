import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { onAbort } from '../../../src/domain/abortable.js'

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

test('many callbacks on one signal share one listener, which is removed with the last callback', () => {
  const { signal } = new AbortController()
  const forget = Array.from({ length: 20 }, () => onAbort(signal, () => {}))
  expect(listenersOf(signal)).toBe(1)
  for (const each of forget) each()
  for (const each of forget) each()
  expect(listenersOf(signal)).toBe(0)
})

test('each callback that was not removed is called once', () => {
  const ending = new AbortController()
  const calls: string[] = []
  const same = () => calls.push('same')
  const forgetFirst = onAbort(ending.signal, same)
  onAbort(ending.signal, same)
  onAbort(ending.signal, () => calls.push('last'))
  forgetFirst()
  forgetFirst()
  ending.abort()
  ending.abort()
  expect(calls).toEqual(['same', 'last'])
})

test('after all callbacks were removed, a signal can be used again', () => {
  const ending = new AbortController()
  onAbort(ending.signal, () => {})()
  let isCalled = false
  onAbort(ending.signal, () => {
    isCalled = true
  })
  ending.abort()
  expect(isCalled).toBe(true)
})
