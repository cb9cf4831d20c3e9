import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { renderTitle, type TitleContent } from '../../../../src/cli/watch/title.js'
import { colored, plain } from '../../../support/palettes.js'

const since = new Date(2026, 10, 26, 11, 12, 24)
const live: TitleContent = {
  service: 'hello',
  members: ['127.0.0.1:2379'],
  revision: 424,
  endpoints: 4,
  freshness: { type: 'live' },
}
const stale: TitleContent = { ...live, freshness: { type: 'stale', since, forMs: 6_900 } }

describe('the title of a watched screen', () => {
  it('shows the service, etcd, the revision, the number of endpoints, and the age of the list', () => {
    expect(renderTitle(live, 80, plain)).toBe('hello · 127.0.0.1:2379 · rev 424 · 4 endpoints · live')
    expect(renderTitle(stale, 90, plain)).toBe(
      'hello · 127.0.0.1:2379 · rev 424 · 4 endpoints · STALE since 11:12:24 (6s), retrying',
    )
    expect(renderTitle({ ...live, service: undefined, endpoints: 1 }, 80, plain)).toBe(
      'all services · 127.0.0.1:2379 · rev 424 · 1 endpoint · live',
    )
    expect(renderTitle({ ...live, freshness: { type: 'connecting' } }, 80, plain)).toBe(
      'hello · 127.0.0.1:2379 · connecting',
    )
  })

  it('is red for a stale list, and shows STALE without colors as well', () => {
    expect(renderTitle(stale, 90, colored)).toContain(colored.red.bold('STALE since 11:12:24 (6s), retrying'))
  })

  it('drops the least important parts if it does not fit', () => {
    expect(renderTitle(stale, 80, plain)).toBe(
      'hello · 127.0.0.1:2379 · rev 424 · STALE since 11:12:24 (6s), retrying',
    )
    expect(renderTitle(stale, 66, plain)).toBe('hello · 127.0.0.1:2379 · STALE since 11:12:24 (6s), retrying')
    expect(renderTitle(stale, 50, plain)).toBe('hello · STALE since 11:12:24 (6s), retrying')
    expect(renderTitle(stale, 40, plain)).toBe('hello · STALE since 11:12:24 (6s)')
    expect(renderTitle(stale, 20, plain)).toBe('hello · STALE')
    expect(renderTitle(stale, 10, plain)).toBe('h… · STALE')
    expect(renderTitle(stale, 8, plain)).toBe('STALE')
    const three = { ...live, members: ['10.0.0.1:2379', '10.0.0.2:2379', '10.0.0.3:2379'] }
    expect(renderTitle(three, 120, plain)).toContain('10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379')
    expect(renderTitle(three, 60, plain)).toContain(' · 10.0.0.1:2379 +2 · ')
  })

  it('shows STALE in every width that has room for it, also after wide and hostile names', () => {
    for (const service of ['サービス/日本語の長い名前', '\u001b[2J\n', 'x'.repeat(200)]) {
      for (let columns = 5; columns <= 120; columns++) {
        const title = renderTitle({ ...stale, service }, columns, plain)
        expect(title).toContain('STALE')
        expect(title).not.toContain('\u001b')
        expect(stringWidth(title)).toBeLessThanOrEqual(columns)
      }
    }
  })
})
