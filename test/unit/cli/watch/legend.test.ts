import stringWidth from 'string-width'
import { expect, it } from 'vitest'
import { NO_CONTROLS } from '../../../../src/cli/watch/controls.js'
import { renderControls } from '../../../../src/cli/watch/legend.js'
import { plain } from '../../../support/palettes.js'

const counted = { matching: 12, all: 1_000 }

it('explains the glyphs and the keys that fit', () => {
  const line = (columns: number, hasKeys = true) =>
    renderControls(NO_CONTROLS, counted, hasKeys, columns, plain)
  expect(line(80)).toBe('● leased  ◐ drained  ✗ problem   ↑↓ PgUp PgDn  / filter  s sort  q quit')
  expect(line(60)).toBe('● leased  ◐ drained  ✗ problem   / filter  s sort  q quit')
  expect(line(40)).toBe('/ filter  s sort  q quit')
  expect(line(80, false)).toBe('● leased  ◐ drained  ✗ problem')
})

it('shows the active filter and sort order', () => {
  const controls = { ...NO_CONTROLS, filter: '10.0.0.5', sort: 'weight' } as const
  expect(renderControls(controls, counted, true, 120, plain)).toBe(
    '● leased  ◐ drained  ✗ problem   /10.0.0.5: 12 of 1000, Esc: all   by weight   ↑↓ PgUp PgDn  / filter  s sort  q quit',
  )
  expect(renderControls(controls, counted, true, 80, plain)).toBe(
    '/10.0.0.5: 12 of 1000, Esc: all   by weight   / filter  s sort  q quit',
  )
})

it('shows a filter while it is typed, and only the end of a long one', () => {
  const controls = { ...NO_CONTROLS, draft: '10.0.' }
  expect(renderControls(controls, counted, true, 80, plain)).toBe(
    '/10.0._   12 of 1000   Enter: keep  Esc: cancel',
  )
  for (const draft of ['x'.repeat(100), '語'.repeat(100), '\u001b[2J'.repeat(30)]) {
    const line = renderControls({ ...NO_CONTROLS, draft }, counted, true, 60, plain)
    expect(stringWidth(line)).toBeLessThanOrEqual(60)
    expect(line).not.toContain('\u001b')
    expect(line.startsWith('…')).toBe(true)
  }
})
