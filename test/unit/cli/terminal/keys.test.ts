import { describe, expect, it } from 'vitest'
import { type Key, KeyReader } from '../../../../src/cli/terminal/keys.js'

const ESC = '\u001b'

/** The keys of inputs that arrive one after the other, without a pause. */
function keysOf(...inputs: readonly string[]): string[] {
  const reader = new KeyReader()
  return inputs.flatMap((input) => reader.read(input)).map(nameOf)
}

function nameOf(key: Key): string {
  return 'text' in key ? `${key.type} ${key.text}` : key.type
}

describe('terminal keys', () => {
  it.each([
    ['[A', 'up'],
    ['OA', 'up'],
    ['[B', 'down'],
    ['[5~', 'page-up'],
    ['[6~', 'page-down'],
    ['[H', 'home'],
    ['OH', 'home'],
    ['[1~', 'home'],
    ['[7~', 'home'],
    ['[F', 'end'],
    ['[4~', 'end'],
  ])('ESC %s is %s', (sequence, key) => {
    expect(keysOf(ESC + sequence)).toEqual([key])
  })

  it('are read from one chunk, with text between them', () => {
    expect(keysOf(`/ab${ESC}[A\r${ESC}[6~q\u007f\b\u0003`)).toEqual([
      'text /ab',
      'up',
      'enter',
      'page-down',
      'text q',
      'backspace',
      'backspace',
      'ctrl-c',
    ])
    expect(keysOf('日本語')).toEqual(['text 日本語'])
  })

  it('are read from several chunks, down to single characters', () => {
    const input = `a${ESC}[5~b${ESC}OA${ESC}[200~q\r${ESC}[201~c${ESC}]11;rgb:0/0/0${ESC}\\d`
    const expected = ['text a', 'page-up', 'text b', 'up', 'paste q\r', 'text c', 'text d']
    expect(keysOf(...input)).toEqual(expected)
    for (let at = 1; at < input.length; at++) {
      expect(keysOf(input.slice(0, at), input.slice(at))).toEqual(expected)
    }
  })
})

describe('the Escape key', () => {
  it('is ESC that is not followed by a sequence', () => {
    const reader = new KeyReader()
    expect(reader.read(ESC)).toEqual([])
    expect(reader.isWaiting).toBe(true)
    expect(reader.flush()).toEqual([{ type: 'escape' }])
    expect(reader.isWaiting).toBe(false)
    expect(reader.read('[A').map(nameOf)).toEqual(['text [A'])
  })

  it('is ESC before another control character', () => {
    expect(keysOf(`${ESC}\r`)).toEqual(['escape', 'enter'])
    expect(keysOf(`${ESC}${ESC}[A`)).toEqual(['escape', 'up'])
  })

  it('is not the beginning of an unterminated sequence', () => {
    const reader = new KeyReader()
    reader.read(`${ESC}[1;`)
    expect(reader.flush()).toEqual([])
    expect(reader.read('q').map(nameOf)).toEqual(['text q'])
  })
})

describe('input without a key binding', () => {
  it.each([
    ['F1', 'OP'],
    ['F1 of the Linux console', '[[A'],
    ['F5', '[15~'],
    ['Ctrl-Right', '[1;5C'],
    ['a click', '[<0;10;5M'],
    ['Alt-x', 'x'],
    ['Alt-é', 'é'],
    ['an answer about the cursor', '[10;20R'],
    ['an answer about the terminal', '[?64;1;2c'],
    ['a title', ']0;title\u0007'],
    ['a device string', 'P>|XTerm(370)\u001b\\'],
  ])('%s has no effect', (_, sequence) => {
    expect(keysOf(`a${ESC}${sequence}b`)).toEqual(['text a', 'text b'])
  })

  it('control characters have no effect', () => {
    expect(keysOf('a\u0001\u0002\u0000\u009b\u0085b')).toEqual(['text a', 'text b'])
  })

  it('an unterminated sequence is dropped, and uses no memory', () => {
    expect(keysOf(`${ESC}[${'1;'.repeat(100)}`, 'q')).toEqual(['text q'])
    expect(keysOf(`${ESC}]${'x'.repeat(100)}`, 'q')).toEqual(['text q'])
  })
})

describe('pasted text', () => {
  it('is not read as keys', () => {
    expect(keysOf(`${ESC}[200~q\r/s${ESC}[A${ESC}[201~s`)).toEqual([`paste q\r/s${ESC}[A`, 'text s'])
  })

  it('keeps 4,096 characters, with or without an end marker', () => {
    const reader = new KeyReader()
    reader.read(`${ESC}[200~`)
    for (let part = 0; part < 1_000; part++) expect(reader.read('x'.repeat(1_000))).toEqual([])
    expect(reader.flush()).toEqual([])
    const [paste, ...more] = reader.read(`${ESC}[201~`)
    expect(more).toEqual([])
    expect(paste).toEqual({ type: 'paste', text: 'x'.repeat(4_096) })
  })
})
