import { expect, it } from 'vitest'
import { nearestNames } from '../../../src/domain/nearest.js'

it.each([
  ['a letter left out', 'helo', ['hello', 'payments'], ['hello']],
  ['a letter too many', 'helllo', ['hello', 'payments'], ['hello']],
  ['another case', 'HELLO', ['hello'], ['hello']],
  ['two letters swapped', 'paymetns', ['hello', 'payments'], ['payments']],
  ['the nearest first', 'user', ['usurer', 'users', 'usher'], ['users', 'usher', 'usurer']],
  ['by name where equally near', 'cat', ['rat', 'bat', 'hat'], ['bat', 'hat', 'rat']],
  ['three at most', 'cat', ['bat', 'hat', 'mat', 'rat'], ['bat', 'hat', 'mat']],
  ['nothing for a different word', 'hello', ['payments'], []],
  ['nothing where a short word would change entirely', 'ab', ['xy'], []],
  ['one letter of a one-letter word', 'a', ['b', 'bc'], ['b']],
  ['four slips are too many', 'abcdefghij', ['abcdefwxyz'], []],
  ['three slips are not', 'abcdefghij', ['abcdefgxyz'], ['abcdefgxyz']],
  ['nothing among nobody', 'hello', [], []],
])('%s', (_, name, known, nearest) => {
  expect(nearestNames(name, known)).toEqual(nearest)
})
