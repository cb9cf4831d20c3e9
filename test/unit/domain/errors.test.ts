import { describe, expect, it } from 'vitest'
import { DiscoError, type ErrorCode } from '../../../src/domain/errors.js'

const EXITS: [ErrorCode, number][] = [
  ['INTERNAL', 1],
  ['USAGE', 2],
  ['ETCD_UNREACHABLE', 3],
  ['ETCD_DENIED', 3],
  ['NOT_FOUND', 4],
  ['WAIT_TIMED_OUT', 5],
  ['CONFLICT', 6],
  ['RPC_FAILED', 7],
  ['VERDICT_FAILED', 8],
  ['INTERRUPTED', 130],
]

describe('DiscoError', () => {
  it.each(EXITS)('%s exits with %d, a code that scripts rely on', (code, exit) => {
    expect(new DiscoError(code, 'why').exit).toBe(exit)
  })

  it('lets a single failed call choose its own exit code', () => {
    expect(new DiscoError('RPC_FAILED', 'why', { exit: 78 }).exit).toBe(78)
  })

  it('is an Error with name, message, cause and suggestions', () => {
    const cause = new Error('deeper')
    const error = new DiscoError('CONFLICT', 'why', { cause, suggestions: ['do this'] })
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toBe('DiscoError: why')
    expect(error.cause).toBe(cause)
    expect(error.suggestions).toEqual(['do this'])
    expect(new DiscoError('CONFLICT', 'why').suggestions).toEqual([])
  })
})

describe('DiscoError.from', () => {
  it('leaves a DiscoError as it is', () => {
    const error = new DiscoError('NOT_FOUND', 'why')
    expect(DiscoError.from(error)).toBe(error)
  })

  it('converts an unexpected value to INTERNAL, and keeps it as the cause', () => {
    const thrown = new TypeError('x is not a function')
    const error = DiscoError.from(thrown)
    expect(error).toMatchObject({ code: 'INTERNAL', exit: 1, message: 'x is not a function' })
    expect(error.cause).toBe(thrown)
  })

  it.each([['text'], [42], [null], [undefined]])('bears a thrown %j', (thrown) => {
    expect(DiscoError.from(thrown)).toMatchObject({ code: 'INTERNAL', message: String(thrown) })
  })
})
