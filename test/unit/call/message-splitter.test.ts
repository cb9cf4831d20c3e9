import { expect, test } from 'vitest'
import { MessageSplitter } from '../../../src/call/message-splitter.js'

function split(...pieces: string[]): { values: string[]; rest: string } {
  const splitter = new MessageSplitter()
  return { values: pieces.flatMap((piece) => splitter.push(piece)), rest: splitter.end() }
}

test.each<[what: string, pieces: string[], values: string[], rest: string]>([
  ['a value a line', ['{"a":1}\n{"b":2}\n'], ['{"a":1}', '{"b":2}'], ''],
  ['values side by side', ['{"a":1}{"b":2} [3]'], ['{"a":1}', '{"b":2}', '[3]'], ''],
  ['a value before its line has ended', ['{"a":1}'], ['{"a":1}'], ''],
  ['a value over several lines and pieces', ['{\n"a', '":\n {', '}\n', '}\n'], ['{\n"a":\n {}\n}'], ''],
  ['brackets and quotes in strings', ['{"a":"}\\"]{"}\n'], ['{"a":"}\\"]{"}'], ''],
  ['a backslash at the end of a piece', ['{"a":"\\', '""}\n'], ['{"a":"\\""}'], ''],
  ['values without brackets', ['1\n"x"\nnull'], ['1', '"x"'], 'null'],
  ['a string that is not closed', ['{"a":"x\n{"b":1}\n'], ['{"a":"x', '{"b":1}'], ''],
  ['too many brackets', ['}\n{}\n'], ['}', '{}'], ''],
  ['an unfinished value', ['{}\n{"a":'], ['{}'], '{"a":'],
  ['empty lines', ['\n\n \n{}\n\n'], ['{}'], ''],
])('%s', (_what, pieces, values, rest) => {
  expect(split(...pieces)).toEqual({ values, rest })
  const letters = pieces.flatMap((piece) => [...piece])
  expect(split(...letters)).toEqual({ values, rest })
})
