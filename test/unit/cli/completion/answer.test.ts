import { describe, expect, it } from 'vitest'
import { answerLines } from '../../../../src/cli/completion/answer.js'
import type { Position } from '../../../../src/cli/completion/expected.js'

function at(typed: string, prefix = ''): Position {
  return { expected: { kind: 'address' }, typed, prefix, service: 'hello', flags: new Map() }
}

const ADDRESSES = [
  { value: '127.0.0.1:1001', description: 'version 1.0.0, weight 1' },
  { value: '[::1]:80', description: '' },
]

describe('answerLines', () => {
  it('offers names that begin with the typed text, preceded by the rest of the word', () => {
    expect(answerLines('fish', at('127'), ADDRESSES)).toEqual([
      'words',
      '127.0.0.1:1001\tversion 1.0.0, weight 1',
    ])
    expect(answerLines('fish', at('', '--pin='), ADDRESSES)[2]).toBe('--pin=[::1]:80')
    expect(answerLines('fish', at('x'), ADDRESSES)).toEqual(['words'])
  })

  it('escapes colons for zsh, and omits descriptions in bash', () => {
    expect(answerLines('zsh', at('1'), ADDRESSES)[1]).toBe('127.0.0.1\\:1001:version 1.0.0, weight 1')
    expect(answerLines('bash', at('1'), ADDRESSES)[1]).toBe('127.0.0.1:1001')
  })

  it('gives bash only the part after the last word break', () => {
    const breaks = ' \t\n"\'><=;|&(:'
    expect(answerLines('bash', at('127.0.0.1:'), ADDRESSES, breaks)[1]).toBe('1001')
    expect(answerLines('bash', at('127.0.0.1:1'), ADDRESSES, breaks)[1]).toBe('1001')
    expect(answerLines('bash', at('127.0.0.1:1'), ADDRESSES, ' =')[1]).toBe('127.0.0.1:1001')
    expect(answerLines('bash', at('12', '--pin='), ADDRESSES, breaks)[1]).toBe('127.0.0.1:1001')
  })

  it('does not offer a name that a shell would expand or split, and truncates descriptions', () => {
    const names = ['$(touch x)', '`id`', 'a b', "a'b", 'a;b', 'a\nb', '\u001b[31m', 'a*', '~x', 'dienst-ä']
    const offered = answerLines(
      'bash',
      at(''),
      names.map((value) => ({ value, description: '' })),
    )
    expect(offered).toEqual(['words', 'dienst-ä'])
    const [, line = ''] = answerLines('fish', at(''), [
      { value: 'a', description: `\u001b${'x'.repeat(500)}` },
    ])
    expect(line).toMatch(/^a\t\\u001bx+$/)
    expect(line.length).toBeLessThan(70)
  })

  it('offers > only to shells that quote inserted words, because > redirects to a file in other shells', () => {
    const names = ['zone=b>notes.txt', 'weight>0'].map((value) => ({ value, description: '' }))
    expect(answerLines('bash', at(''), names)).toEqual(['words'])
    expect(answerLines('powershell', at(''), names)).toEqual(['words'])
    expect(answerLines('zsh', at(''), names)).toEqual(['words', 'zone=b>notes.txt', 'weight>0'])
    expect(answerLines('fish', at(''), names)).toEqual(['words', 'zone=b>notes.txt', 'weight>0'])
  })

  it('does not offer a name that the command would parse as a flag', () => {
    const names = ['--all', '-y', 'a-b'].map((value) => ({ value, description: '' }))
    expect(answerLines('fish', at(''), names)).toEqual(['words', 'a-b'])
    expect(answerLines('fish', at('-'), names)).toEqual(['words'])
  })

  it('requests no space after a name that needs a value, and asks for file names', () => {
    expect(answerLines('bash', at('v'), [{ value: 'version=', description: '' }])).toEqual([
      'part',
      'version=',
    ])
    expect(answerLines('zsh', at(''), null)).toEqual(['files'])
  })
})
