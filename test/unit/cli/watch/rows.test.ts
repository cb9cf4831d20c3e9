import { describe, expect, it } from 'vitest'
import { endpointsDoc } from '../../../../src/cli/endpoints/document.js'
import { rowsOf } from '../../../../src/cli/endpoints/table.js'
import { filtered, rowId, sorted, visibleRows } from '../../../../src/cli/watch/rows.js'
import { endpoint } from '../../../support/endpoints.js'

/** Rows `a:0`, `a:1`, …, of weight 1. */
function rows(count: number) {
  const endpoints = Array.from({ length: count }, (_, port) => endpoint({ addr: `a:${port}`, weight: 1 }))
  return rowsOf([endpointsDoc('hello', { revision: 1, endpoints }, null)])
}

const ports = (shown: ReturnType<typeof rows>) => shown.map(({ endpoint: { addr } }) => Number(addr.slice(2)))

/** The id of row `a:PORT`. */
function id(port: number): string {
  const [row] = rows(port + 1).slice(-1)
  return rowId(undefined, row?.endpoint.key ?? '', `a:${port}`)
}

describe('the rows of a watched table', () => {
  const shown = (count: number, room: number, top = 0, changed: readonly number[] = []) => {
    const { rows: some, above, hidden } = visibleRows(rows(count), room, top, changed.map(id))
    return { ports: ports([...some]), above, hidden }
  }

  it('are all rows if they fit, else the first ones and a line that counts the others', () => {
    expect(shown(4, 4)).toEqual({ ports: [0, 1, 2, 3], above: 0, hidden: 0 })
    expect(shown(10, 4)).toEqual({ ports: [0, 1, 2], above: 0, hidden: 7 })
    expect(shown(10, 0)).toEqual({ ports: [], above: 0, hidden: 10 })
  })

  it('after a scroll are those further down, up to the last one', () => {
    expect(shown(10, 4, 3)).toEqual({ ports: [3, 4, 5], above: 3, hidden: 7 })
    expect(shown(10, 4, 99)).toEqual({ ports: [7, 8, 9], above: 7, hidden: 7 })
    expect(shown(3, 4, 2)).toEqual({ ports: [0, 1, 2], above: 0, hidden: 0 })
  })

  it('include the most recently changed rows, in at most half of the space', () => {
    expect(shown(100, 7, 0, [50])).toEqual({ ports: [0, 1, 2, 3, 4, 50], above: 0, hidden: 94 })
    expect(shown(100, 7, 0, [50, 90, 70, 80])).toEqual({ ports: [0, 1, 2, 70, 80, 90], above: 0, hidden: 94 })
    expect(shown(100, 7, 0, [4])).toEqual({ ports: [0, 1, 2, 3, 4, 5], above: 0, hidden: 94 })
    expect(shown(100, 7, 0, [4, 5, 6]).ports).toEqual([0, 1, 2, 4, 5, 6])
    expect(shown(100, 7, 20, [50]).ports).toEqual([20, 21, 22, 23, 24, 25])
  })

  it('ignore changed endpoints that are not listed', () => {
    expect(shown(10, 4, 0, [500]).ports).toEqual([0, 1, 2])
  })
})

describe('sort orders', () => {
  const doc = endpointsDoc(
    'hello',
    {
      revision: 9,
      endpoints: [
        endpoint({ addr: 'a:1', weight: 1, lease: 'aa', modRevision: 10 }),
        endpoint({ addr: 'a:2', weight: 0, lease: 'aa', modRevision: 9 }),
        endpoint({ addr: 'a:3', weight: 10, lease: null, modRevision: 100 }),
        endpoint({ addr: 'a:4', weight: 1, lease: 'aa', modRevision: 11 }),
      ],
    },
    null,
  )

  it.each([
    ['address', [1, 2, 3, 4]],
    ['weight', [3, 1, 4, 2]],
    ['last change', [3, 4, 1, 2]],
    ['state', [3, 2, 1, 4]],
  ] as const)('by %s', (sort, expected) => {
    expect(ports([...sorted(rowsOf([doc]), sort)])).toEqual(expected)
  })

  it('a filter searches the names and notes, ignoring case', () => {
    const all = rowsOf([doc])
    expect(ports([...filtered(all, 'A:3')])).toEqual([3])
    expect(ports([...filtered(all, 'drained')])).toEqual([2])
    expect(filtered(all, 'hello')).toHaveLength(4)
    expect(filtered(all, '')).toBe(all)
    expect(filtered(all, '.*')).toEqual([])
  })
})
