import { afterEach, expect, it, vi } from 'vitest'
import { parseJson } from '../../../src/call/messages.js'

afterEach(() => {
  vi.restoreAllMocks()
})

it('does not report an unrelated error as invalid JSON', () => {
  vi.spyOn(JSON, 'parse').mockImplementation(() => {
    throw new RangeError('Maximum call stack size exceeded')
  })
  expect(() => parseJson('{}')).toThrow(RangeError)
})
