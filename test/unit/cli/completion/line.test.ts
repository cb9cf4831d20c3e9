import { describe, expect, it } from 'vitest'
import { wordsOf } from '../../../../src/cli/completion/line.js'

describe('wordsOf', () => {
  it.each([
    ['disco', []],
    ['disco ', ['']],
    ['disco ls', ['ls']],
    ['disco  ls   ', ['ls', '']],
    ['disco ls hello -o js', ['ls', 'hello', '-o', 'js']],
    [`disco ls 'my service' -l "zone=b c"`, ['ls', 'my service', '-l', 'zone=b c']],
    [`disco ls 'my serv`, ['ls', 'my serv']],
    [`disco ls 'my `, ['ls', 'my ']],
    [`disco ls "a\\"b`, ['ls', 'a"b']],
    ['disco ls my\\ serv', ['ls', 'my serv']],
    ['disco ls my\\ ', ['ls', 'my ']],
    ['disco ls my\\', ['ls', 'my']],
    [`disco ls a'b'"c"d`, ['ls', 'abcd']],
    [`disco ls ''`, ['ls', '']],
    ['disco call hello SayHello -d {"name":"x"}\n', ['call', 'hello', 'SayHello', '-d', '{name:x}', '']],
  ])('%j', (line, words) => {
    expect(wordsOf(line)).toEqual(words)
  })
})
