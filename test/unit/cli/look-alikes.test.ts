import { describe, expect, it } from 'vitest'
import { HealthLog, renderHealth } from '../../../src/cli/health/table.js'
import { renderTable } from '../../../src/cli/terminal/table.js'
import { markInReport } from '../../../src/cli/terminal/visible.js'
import { colored, plain, withoutColors } from '../../support/palettes.js'

const LIKE_HELLO = 'h\u0435llo'
const SHOWN = 'h\\u0435llo'

function table(...rows: [string, string][]): string {
  const columns = [
    { head: 'A', text: ([a]: [string, string]) => a },
    { head: 'B', text: ([, b]: [string, string]) => b },
  ]
  return renderTable(rows, columns, plain)
}

describe('a table', () => {
  it('marks a name that looks like another one, in any column, before it computes column widths', () => {
    expect(table([LIKE_HELLO, 'x'], ['other', 'not dialled: hello'])).toBe(
      ['A           B', `${SHOWN}  x`, 'other       not dialled: hello'].join('\n'),
    )
  })

  it('marks a name with a character that looks like a dot', () => {
    expect(table(['1\u20240', '2, 1.0'], ['\u2013', '-'])).toBe(
      ['A         B', '1\\u20240  2, 1.0', '\u2013         -'].join('\n'),
    )
  })

  it('leaves other names, glyphs and dashes as they are', () => {
    expect(table(['\u25cf \u4f60\u597d', 'caf\u00e9 \u2013'], ['-', '\u2588\u2588|'])).toContain(
      '\u25cf \u4f60\u597d  caf\u00e9 \u2013',
    )
  })
})

const ENDPOINT = {
  key: '/hello/x:1',
  version: '1',
  weight: 1,
  healthy: true,
  connected: true,
  status: 'SERVING',
  problem: null,
  latencyMs: 1,
}

describe('health', () => {
  it('marks addresses in its table', () => {
    const endpoints = ['hello:1', `${LIKE_HELLO}:1`].map((addr) => ({ ...ENDPOINT, addr }))
    const doc = { schema: 'disco.health/v1', service: 'hello', rev: '1', healthy: 2, endpoints } as const
    expect(renderHealth([doc], plain)).toContain(`${SHOWN}:1 `)
  })

  it('marks services and addresses in the lines of --watch immediately', () => {
    const event = { ...ENDPOINT, schema: 'disco.health-event/v1', type: 'healthy' } as const
    const line = new HealthLog(plain).line({ ...event, service: LIKE_HELLO, addr: 'x:1' }, new Date())
    expect(line).toContain(`${SHOWN} x:1`)
  })
})

describe('a report', () => {
  it('marks names in the lines around its tables, with and without colors', () => {
    for (const palette of [plain, colored]) {
      const report = `${palette.red('hello')}:1\n! ${palette.red(LIKE_HELLO)}:1 left`
      expect(withoutColors(markInReport(report))).toBe(`hello:1\n! ${SHOWN}:1 left`)
    }
  })

  it('is unchanged if no names look alike', () => {
    const report = `${colored.green('\u25cf')} \u4f60\u597d \u2013 hello\n\u2588\u2588|`
    expect(markInReport(report)).toBe(report)
  })
})
