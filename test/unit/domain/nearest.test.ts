import { expect, it } from 'vitest'
import { didYouMean, nearestNames } from '../../../src/domain/nearest.js'

it.each([
  ['a letter left out', 'helo', ['hello', 'payments'], ['hello']],
  ['the last letter left out', 'hell', ['hello'], ['hello']],
  ['a letter too many', 'helllo', ['hello', 'payments'], ['hello']],
  ['the first letter too many', 'xhello', ['hello'], ['hello']],
  ['another letter', 'hallo', ['hello'], ['hello']],
  ['another case', 'HELLO', ['hello'], ['hello']],
  ['two letters swapped', 'paymetns', ['hello', 'payments'], ['payments']],
  ['the first two letters swapped', 'ehllo', ['hello'], ['hello']],
  ['the two letters of a word swapped', 'sl', ['ls'], ['ls']],
  ['what differs in case alone first', 'Users', ['user', 'users'], ['users', 'user']],
  ['by name where equally near', 'cat', ['rat', 'bat', 'hat'], ['bat', 'hat', 'rat']],
  ['each name once', 'randm', ['random', 'random', 'wrandom'], ['random']],
  ['three at most', 'cat', ['bat', 'hat', 'mat', 'rat'], ['bat', 'hat', 'mat']],
  ['a word of one letter that got another', 'l', ['ls'], ['ls']],
  ['nothing for two slips', 'hlo', ['hello'], []],
  ['nothing for two letters that are not neighbours', 'olleh', ['hello'], []],
  ['nothing for a swap and a slip', 'ehlo', ['hello'], []],
  ['nothing for a different word', 'hello', ['payments'], []],
  ['nothing for a word of one letter', 'x', ['d', 'f', 'i'], []],
  ['nothing for an empty word', '', ['d', 'ls'], []],
  ['what looks the same, and nothing else', 'r\u0430nd\u043em', ['wrandom', 'random'], ['random']],
  ['a letter that looks the same', '\u0430', ['a', 'b'], ['a']],
  ['nothing among no names', 'hello', [], []],
])('%s', (_, name, known, nearest) => {
  expect(nearestNames(name, known)).toEqual(nearest)
})

it('didYouMean returns a hint only if there is a near name', () => {
  expect(didYouMean('cat', ['bat', 'hat'])).toEqual(['Did you mean bat or hat?'])
  expect(didYouMean('cat', ['dog'])).toEqual([])
})
