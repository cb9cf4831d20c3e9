import { describe, expect, it } from 'vitest'
import type { Key } from '../../../../src/cli/terminal/keys.js'
import { type Controls, NO_CONTROLS, type Page, press } from '../../../../src/cli/watch/controls.js'

const page: Page = { top: 10, shown: 5, rows: 100 }

function pressed(
  controls: Controls,
  ...keys: readonly (Key['type'] | { readonly typed: string })[]
): Controls {
  let now = controls
  for (const key of keys) {
    const next = press(now, typeof key === 'string' ? ({ type: key } as Key) : text(key.typed), page)
    if (next === 'quit') throw new Error('quit')
    now = next
  }
  return now
}

function text(typed: string): Key {
  return { type: 'text', text: typed }
}

describe('the keys of a watched table', () => {
  it.each([
    ['up', 9],
    ['down', 11],
    ['page-up', 5],
    ['page-down', 15],
    ['home', 0],
    ['end', 95],
  ] as const)('%s scrolls to %d', (type, top) => {
    expect(press(NO_CONTROLS, { type }, page)).toEqual({ ...NO_CONTROLS, top })
  })

  it('scrolls at most to the first and the last row', () => {
    expect(press(NO_CONTROLS, { type: 'page-up' }, { ...page, top: 2 })).toMatchObject({ top: 0 })
    expect(press(NO_CONTROLS, { type: 'page-down' }, { ...page, top: 93 })).toMatchObject({ top: 95 })
    expect(press(NO_CONTROLS, { type: 'down' }, { top: 0, shown: 3, rows: 3 })).toMatchObject({ top: 0 })
  })

  it('s selects the next sort order', () => {
    const sorts = Array.from(
      { length: 4 },
      (_, times) => pressed(NO_CONTROLS, { typed: 's'.repeat(times) }).sort,
    )
    expect(sorts).toEqual(['address', 'weight', 'last change', 'state'])
    expect(pressed(NO_CONTROLS, { typed: 'ssss' }).sort).toBe('address')
  })

  it('q quits, also after other keys in the same chunk', () => {
    expect(press(NO_CONTROLS, text('q'), page)).toBe('quit')
    expect(press(NO_CONTROLS, text('sxq'), page)).toBe('quit')
  })

  it('/ opens a filter, in which the other keys are letters', () => {
    const typed = pressed({ ...NO_CONTROLS, top: 7 }, { typed: '/qs' }, { typed: '/1' })
    expect(typed).toEqual({ ...NO_CONTROLS, draft: 'qs/1' })
    expect(pressed(typed, 'backspace', 'enter')).toEqual({ ...NO_CONTROLS, filter: 'qs/' })
    expect(pressed(typed, 'ctrl-u', { typed: 'x' }).draft).toBe('x')
  })

  it('Esc keeps the previous filter while a new one is typed, and removes it afterwards', () => {
    const former = { ...NO_CONTROLS, filter: 'former' }
    expect(pressed(former, { typed: '/' }).draft).toBe('former')
    expect(pressed(former, { typed: '/x' }, 'escape')).toEqual(former)
    expect(pressed(former, 'escape')).toEqual(NO_CONTROLS)
  })

  it('pasted text is added to an open filter, and is ignored otherwise', () => {
    expect(press(NO_CONTROLS, { type: 'paste', text: 'q' }, page)).toBe(NO_CONTROLS)
    const typing = pressed(NO_CONTROLS, { typed: '/' })
    expect(press(typing, { type: 'paste', text: '10.0.0.5\r\nq' }, page)).toMatchObject({
      draft: '10.0.0.5q',
    })
    const [long] = [press(typing, { type: 'paste', text: '語'.repeat(500) }, page)]
    expect(long).toMatchObject({ draft: '語'.repeat(100) })
  })

  it('Backspace removes a whole character', () => {
    expect(pressed({ ...NO_CONTROLS, draft: 'ae\u0301' }, 'backspace').draft).toBe('a')
    expect(pressed({ ...NO_CONTROLS, draft: '' }, 'backspace').draft).toBe('')
  })

  it('other keys have no effect', () => {
    for (const type of ['ctrl-d', 'enter', 'backspace'] as const)
      expect(press(NO_CONTROLS, { type }, page)).toBe(NO_CONTROLS)
  })
})
