import { expect, it } from 'vitest'
import { inOneContext } from '../../../src/cli/context/one-context.js'
import { parseOrigins } from '../../../src/domain/origins.js'

const DEFINITIONS = {
  context: { type: 'option', char: 'C' },
  for: { type: 'option' },
  yes: { type: 'boolean', char: 'y' },
  header: { type: 'option', char: 'H' },
  endpoints: { type: 'option' },
} as const

function suggested(id: string, ...argv: string[]): readonly string[] {
  return inOneContext({ id, argv, definitions: DEFINITIONS }, parseOrigins('a,b'))
}

it.each([
  [['hello', '1.2.3.4:1001', '5', '-C', 'a,b'], 'hello 1.2.3.4:1001 5'],
  [['hello', '-Ca,b', '--yes'], 'hello --yes'],
  [['--context=a,b', 'hello', '--for', 'endpoints>0'], "hello --for 'endpoints>0'"],
  [['--for=a b', '-yC', 'a,b', 'hello'], "--for 'a b' -y hello"],
  // By the variable.
  [['hello'], 'hello'],
])('the command for each context, to be copied: %j', (argv, words) => {
  expect(suggested('wait', ...argv)).toEqual([`disco wait ${words} -C a`, `disco wait ${words} -C b`])
})

it('keeps the arguments after --, and the words of the command', () => {
  expect(suggested('context:show', 'x', '-C', 'a,b', '--', 'sh', '-c', 'exec "$0" -C a,b')).toEqual([
    `disco context show x -C a -- sh -c 'exec "$0" -C a,b'`,
    `disco context show x -C b -- sh -c 'exec "$0" -C a,b'`,
  ])
})

it.each([
  [['hello', '-C', 'a,b', '-H', 'authorization: Bearer x']],
  [['hello', '-C', 'a,b', '--endpoints', 'http://me:secret@10.0.0.1:2379']],
])('prints no secret: %j', (argv) => {
  expect(suggested('health', ...argv)).toEqual(['Such as: -C a'])
})
