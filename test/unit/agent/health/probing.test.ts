import { describe, expect, it } from 'vitest'
import { HealthGate } from '../../../../src/agent/health/probing.js'

/** Results as `+` (success) and `-` (failure), each with the health that it turned to. */
function turns(answers: string, rules: { rise: number; fall: number }): string {
  const gate = new HealthGate(rules)
  const letters = { healthy: 'H', unhealthy: 'U', nothing: '.' }
  return [...answers].map((answer) => letters[gate.note(answer === '+') ?? 'nothing']).join('')
}

describe('a health gate', () => {
  it.each([
    ['one success is enough to rise by 1', '--+', '..H', 1, 3],
    ['failures before the first success turn nothing, however many', '------+', '......H', 1, 2],
    ['rise counts successes in a row', '+-++', '...H', 2, 3],
    ['fall counts failures in a row', '+--+---', 'H.....U', 1, 3],
    ['it comes back by rise', '++---++', '.H..U.H', 2, 3],
    ['what is turned is turned once', '++++----', 'H....U..', 1, 2],
    ['a failure between starts the count anew', '+++---+-+-+++', '..H..U......H', 3, 3],
  ])('%s: %s', (_, answers, wanted, rise, fall) => {
    expect(turns(answers, { rise, fall })).toBe(wanted)
  })

  it('remembers whether the server was ever healthy', () => {
    const gate = new HealthGate({ rise: 1, fall: 1 })
    gate.note(false)
    expect(gate.isUnknown).toBe(true)
    gate.note(true)
    gate.note(false)
    expect(gate.isUnknown).toBe(false)
  })
})
