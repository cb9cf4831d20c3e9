import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { wrapLines, wrapWords } from '../../../../src/cli/terminal/wrap.js'
import { colored } from '../../../support/palettes.js'

describe('wrapped words', () => {
  it('breaks between words', () => {
    expect(wrapWords('one two three four', 9)).toEqual(['one two', 'three', 'four'])
    expect(wrapWords('one two', 7)).toEqual(['one two'])
  })

  it('splits a word that is longer than a line, after a comma if it has one', () => {
    expect(wrapWords('a abcdefghij b', 4)).toEqual(['a', 'abcd', 'efgh', 'ij b'])
    expect(wrapWords('10.0.0.1:1,10.0.0.2:1,10.0.0.3:1', 24)).toEqual([
      '10.0.0.1:1,10.0.0.2:1,',
      '10.0.0.3:1',
    ])
  })

  it('counts wide characters as two columns, never splits one, and terminates if one is wider than a line', () => {
    for (let columns = 2; columns < 12; columns++) {
      for (const line of wrapWords('日本語の名前 e\u0301e\u0301 サービス', columns))
        expect(stringWidth(line)).toBeLessThanOrEqual(columns)
    }
    expect(wrapWords('日', 1)).toEqual(['日'])
  })
})

describe('a text on a terminal', () => {
  it('indents continuation lines to its sentence', () => {
    expect(wrapLines('PASS  follows the weights: largest gap 0.71 call', 30).split('\n')).toEqual([
      'PASS  follows the weights:',
      '      largest gap 0.71 call',
    ])
    expect(wrapLines('      Equal split ruled out (p = 0.005).', 30).split('\n')).toEqual([
      '      Equal split ruled out (p',
      '      = 0.005).',
    ])
    expect(wrapLines(`${colored.red('✗')} etcd is not reachable at 127.0.0.1:1`, 30).split('\n')).toEqual([
      `${colored.red('✗')} etcd is not reachable at`,
      '  127.0.0.1:1',
    ])
  })

  it('does not break a line with a command or JSON to copy', () => {
    for (const line of [
      '  fix: disco unregister hello 127.0.0.1:1004',
      'service config  {"loadBalancingConfig":[{}]}',
    ])
      expect(wrapLines(line, 30)).toBe(line)
  })

  it('breaks prose around commands and flags between words, and does not break commands and flags', () => {
    expect(
      wrapLines('  Describe it by its file: --proto FILE [--import-path DIR], or --protoset FILE', 42).split(
        '\n',
      ),
    ).toEqual(['  Describe it by its file: --proto FILE', '  [--import-path DIR], or --protoset FILE'])
    expect(wrapLines('  Then give it with --layout seed --root /x', 30).split('\n')).toEqual([
      '  Then give it with',
      '  --layout seed --root /x',
    ])
    expect(
      wrapLines(`✗ Likely cause: the client. Try: disco call hello Say -H 'a: b, c', or look`, 44).split(
        '\n',
      ),
    ).toEqual([`✗ Likely cause: the client. Try:`, `  disco call hello Say -H 'a: b, c', or look`])
    expect(
      wrapLines('  Clients get calls by weight: disco weight. For some: --canary', 44).split('\n'),
    ).toEqual(['  Clients get calls by weight: disco weight.', '  For some: --canary'])
  })

  it('moves the remark after a command to the next line, and breaks it between words', () => {
    expect(
      wrapLines('  fix: disco drain pay 127.0.0.2:1 --undo   (or remove it, if it is forgotten)', 40),
    ).toBe(['  fix: disco drain pay 127.0.0.2:1 --undo', '  (or remove it, if it is forgotten)'].join('\n'))
    expect(
      wrapLines('  disco drain a 1.2.3.4:1 --undo   \u001b[2m(or if it is forgotten)\u001b[22m', 24),
    ).toBe(
      ['  disco drain a 1.2.3.4:1 --undo', '  \u001b[2m(or if it is', '  forgotten)\u001b[22m'].join('\n'),
    )
  })

  it('is unchanged if it fits, or without a terminal', () => {
    const text = 'a\n\n  b  c   d\n'
    expect(wrapLines(text, 30)).toBe(text)
    expect(wrapLines('x '.repeat(500), Number.POSITIVE_INFINITY)).toBe('x '.repeat(500))
  })
})
