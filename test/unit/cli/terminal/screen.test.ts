import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { enterScreen, frame, leaveScreen, type Size, sizeOf } from '../../../../src/cli/terminal/screen.js'
import { screenAfter } from '../../../support/emulator.js'
import { colored, withoutColors } from '../../../support/palettes.js'

/** The lines that a frame leaves on the screen, colours included. */
function lines(table: readonly string[], log: readonly string[], size: Size, hidden = 0): string[] {
  const painted = frame({ title: 'title', table: { lines: table, hidden }, legend: 'legend', log }, size)
  const [start, ...rows] = painted.split('\u001b[K')
  expect(start).toBe('\u001b[H')
  const shown = rows.map((row) => row.replace(/\r\n(?:\u001b\[J)?$/, ''))
  expect(painted.endsWith('\u001b[J')).toBe(shown.length < size.rows)
  return shown
}

const some = (what: string, count: number) => Array.from({ length: count }, (_, at) => `${what}${at}`)
const wide = { columns: 80 }

describe('a frame', () => {
  it('has the table below the title, then as many of the last log lines as fit', () => {
    expect(lines(['head', 'row'], some('event', 9), { ...wide, rows: 7 })).toEqual([
      'title',
      'head',
      'row',
      'legend',
      'event6',
      'event7',
      'event8',
    ])
    expect(lines(['head'], ['event'], { ...wide, rows: 24 })).toEqual(['title', 'head', 'legend', 'event'])
  })

  it('counts the hidden rows of a long table, and keeps room for the log', () => {
    expect(lines(some('row', 10), some('event', 9), { ...wide, rows: 9 })).toEqual([
      'title',
      'row0',
      'row1',
      'row2',
      'row3',
      '… 6 more',
      'legend',
      'event7',
      'event8',
    ])
  })

  it('includes rows that were not rendered in the count of hidden rows', () => {
    expect(lines(some('row', 10), [], { ...wide, rows: 9 }, 100).at(5)).toBe('… 106 more')
    expect(lines(['head', 'row'], [], { ...wide, rows: 9 }, 1).at(3)).toBe('… 1 more')
  })

  it.each([1, 2, 3, 4, 5, 6, 24])('never has more than %d rows, and shows only rows that exist', (rows) => {
    for (const length of [0, 1, 2, 5, 50]) {
      const shown = lines(some('row', length), some('event', 50), { ...wide, rows })
      expect(shown.length).toBeLessThanOrEqual(rows)
      expect(shown[0]).toBe('title')
      const more = shown.find((line) => line.startsWith('…'))
      const rowsShown = shown.filter((line) => line.startsWith('row')).length
      if (more !== undefined) expect(more).toBe(`… ${length - rowsShown} more`)
    }
  })
})

describe('a log line that is wider than the terminal', () => {
  const logged = (log: readonly string[], columns: number, rows = 24) =>
    lines([], log, { columns, rows }).slice(2)

  it('wraps at words, and keeps its color', () => {
    expect(logged(['11:12:24 ! STALE: etcd does not answer'], 22)).toEqual([
      '11:12:24 ! STALE: etcd',
      '    does not answer',
    ])
    const painted = logged([colored.red('aaaaaaaaaabbbbbb')], 10)
    expect(painted).toEqual([colored.red('aaaaaaaaaa'), `    ${colored.red('bbbbbb')}`])
  })

  it('shows its beginning if there is no room for more', () => {
    expect(logged(['first', 'STALE since long ago'], 12, 4)).toEqual(['STALE since', '    long ago'])
    expect(logged(['first', 'STALE since long ago'], 12, 3)).toEqual(['STALE since'])
  })

  it('takes at most four rows', () => {
    const shown = logged(['x'.repeat(1_000)], 20)
    expect(shown).toHaveLength(4)
    expect(shown.at(-1)).toBe(`    ${'x'.repeat(15)}…`)
  })

  it('never exceeds the width of the terminal, whatever the line contains', () => {
    const line = `a日${colored.green('語👩‍👩‍👧‍👦 の')}e\u0301 ${colored.red('本x')} サービス/日本語`
    for (let columns = 1; columns <= 24; columns++) {
      for (const row of logged([line], columns)) expect(stringWidth(row)).toBeLessThanOrEqual(columns)
    }
  })
})

describe('a line wider than the terminal', () => {
  const cut = (line: string, columns: number) => lines([line], [], { columns, rows: 24 })[1] ?? ''

  it('is cut to the width, with a mark at the cut', () => {
    expect(cut('abcdefgh', 5)).toBe('abcd…')
    expect(cut('abcde', 5)).toBe('abcde')
  })

  it('counts wide characters as two columns and never splits one', () => {
    expect(cut('日本語日本語', 6)).toBe('日本…')
    expect(cut('a日本語', 5)).toBe('a日…')
    expect(cut('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 5)).toBe('👩‍👩‍👧‍👦👩‍👩‍👧‍👦…')
    expect(cut('日本語', 6)).toBe('日本語')
  })

  it('keeps its colors, including the closing sequences after the cut', () => {
    const painted = `${colored.red('●')} ${colored.bold('日本語')} ${colored.dim('the end')}`
    const shown = cut(painted, 7)
    expect(withoutColors(shown)).toBe('● 日本…')
    expect(shown.match(/\u001b\[[0-9;]*m/g)).toEqual(painted.match(/\u001b\[[0-9;]*m/g))
  })

  it('never exceeds the width of the terminal, whatever the line contains', () => {
    const line = `a日${colored.green('語👩‍👩‍👧‍👦')}e\u0301${colored.red('本x')}`
    for (let columns = 1; columns <= 14; columns++) {
      expect(stringWidth(cut(line, columns))).toBeLessThanOrEqual(columns)
    }
  })
})

describe('a frame on a terminal', () => {
  const screen = (title: string, log: readonly string[]) => ({
    title,
    table: { lines: ['head', '日本語 e\u0301 x'], hidden: 0 },
    legend: 'legend',
    log,
  })

  it('replaces the previous frame, keeps lines of the full width whole, and clears the rows below', async () => {
    const size = { columns: 20, rows: 8 }
    const long = frame(screen('x'.repeat(20), some('event', 9)), size)
    expect(await screenAfter(enterScreen + long, 20, 8)).toEqual([
      'x'.repeat(20),
      'head',
      '日本語 e\u0301 x',
      'legend',
      'event5',
      'event6',
      'event7',
      'event8',
    ])
    const short = frame(screen('title', ['event']), size)
    expect(await screenAfter(enterScreen + long + short, 20, 8)).toEqual([
      'title',
      'head',
      '日本語 e\u0301 x',
      'legend',
      'event',
      '',
      '',
      '',
    ])
  })

  it('keeps its rows on a terminal that draws characters wider than we assume', async () => {
    // As if every character took two columns.
    const twice = frame(screen('x'.repeat(20), some('event', 9)), { columns: 20, rows: 8 })
    const shown = await screenAfter(enterScreen + twice, 10, 8)
    expect(shown.slice(1, 5)).toEqual(['head', '日本語 e\u0301 x', 'legend', 'event5'])
  })

  it('is erased at the end, and line wrapping is enabled again', async () => {
    const before = 'before\r\n'
    const painted = before + enterScreen + frame(screen('title', []), { columns: 20, rows: 8 }) + leaveScreen
    expect(await screenAfter(`${painted}${'x'.repeat(25)}`, 20, 8)).toEqual([
      'before',
      'x'.repeat(20),
      'xxxxx',
      '',
      '',
      '',
      '',
      '',
    ])
  })
})

it('a terminal without a size, or with size 0, counts as 80 by 24', () => {
  expect(sizeOf({})).toEqual({ columns: 80, rows: 24 })
  expect(sizeOf({ columns: 0, rows: 0 })).toEqual({ columns: 80, rows: 24 })
  expect(sizeOf({ columns: 120, rows: 50 })).toEqual({ columns: 120, rows: 50 })
})
