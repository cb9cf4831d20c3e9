import { describe, expect, it } from 'vitest'
import type { BaseFlags } from '../../../../src/cli/flags/base.js'
import { commandLine } from '../../../../src/cli/flags/connection-words.js'
import { sharesOf, shiftDoc } from '../../../../src/cli/shift/document.js'
import { renderShift, shareText } from '../../../../src/cli/shift/view.js'
import { parseSelector } from '../../../../src/domain/selector.js'
import type { ShiftResult } from '../../../../src/registry/shift/shift.js'
import { endpoint } from '../../../support/endpoints.js'
import { plain } from '../../../support/palettes.js'

const ELSEWHERE = {
  context: { text: 'two', origins: null },
  endpoints: ['10.0.0.1:2379'],
  root: '/team',
} as unknown as BaseFlags
const canary = endpoint({ addr: '10.0.0.2:1', version: '2.0.0', weight: 5 })

/** A shift of one endpoint. */
const shifted = (from: number, shareTo = 0.5): ShiftResult => ({
  revision: 8,
  before: { revision: 7, endpoints: [canary], otherKeys: 0 },
  written: from !== 5,
  changes: [{ endpoint: canary, from, to: 5, shareFraction: { from: 0.1, to: shareTo } }],
})
const render = (doc: Parameters<typeof renderShift>[0]) => renderShift(doc, plain, commandLine(ELSEWHERE))
const step = { shifted: shifted(1), guard: null }

describe('the report of a shift', () => {
  it('has an undo command for the same etcd and keys', () => {
    const flags = '--context two --endpoints 10.0.0.1:2379 --root /team'
    const once = shiftDoc('hello', shifted(1), { end: 'done', beforeRev: 7 })
    expect(render(once)).toContain(`Undo: disco shift hello --undo ${flags}`)
    const inSteps = shiftDoc('hello', shifted(1), { end: 'done', beforeRev: 7, steps: [step] })
    expect(render(inSteps)).toContain(`Undo: disco shift hello --undo --rev 7 ${flags}`)
  })

  it('has no undo command if nothing was written', () => {
    const text = render(shiftDoc('hello', shifted(5), { end: 'done', beforeRev: 7 }))
    expect(text).toContain('nothing was written')
    expect(text).not.toContain('Undo')
  })

  it.each(['back', 'interrupted', 'undone'] as const)(
    'says how many endpoints have other weights after all (%s)',
    (end) => {
      const doc = shiftDoc('hello', shifted(1), { end, beforeRev: 7, leftOut: [canary] })
      expect(render(doc)).toContain('hello has the weights of rev 7 again, except for 1 endpoint (rev 8')
    },
  )

  it('does not report a share of 0% if clients read weight 0 as their default weight', () => {
    const kitex = endpoint({ addr: '10.0.0.3:1', layout: 'kitex', weight: 0 })
    const { changes, ...rest } = shifted(1)
    const change = { endpoint: kitex, from: 10, to: 0, shareFraction: { from: 0.5, to: 0 } }
    const doc = shiftDoc('hello', { ...rest, changes: [...changes, change] }, { end: 'done', beforeRev: 7 })
    expect(render(doc)).toMatch(
      /^! hello .* \(but not for clients that read weight 0 as their default weight\) \(rev 8/,
    )
    expect(doc).toMatchObject({
      zeroIsDefault: true,
      hints: expect.arrayContaining([expect.stringContaining('read weight 0 as 10')]) as string[],
    })
  })

  it('shows the weight that replaces 0', () => {
    const doc = shiftDoc('hello', shifted(1), { end: 'back', beforeRev: 7, insteadOfZero: 3 })
    expect(render(doc)).toContain(
      'hello has the weights of rev 7 again, but with weight 3 in place of 0 (rev 8',
    )
    expect(doc.hints[0]).toContain('hello had no weights: weight 3 instead of 0')
  })

  it('plans an undo by its revision, and the steps by their shares', () => {
    const undo = shiftDoc('hello', shifted(1), { end: 'planned', beforeRev: 7, dryRun: true })
    expect(render(undo)).toMatch(/^hello would get the weights of rev 7 again\n/)
    const filter = { select: parseSelector('version=2.0.0'), addrs: [], host: null }
    const parts = [{ selection: 'version=2.0.0', filter, sharePpm: 500_000 }]
    const made = { end: 'planned', parts, beforeRev: 7, dryRun: true } as const
    const inSteps = shiftDoc('hello', shifted(1), {
      ...made,
      steps: [step, step],
      sharesPpm: [50_000, 500_000],
    })
    expect(render(inSteps)).toMatch(/^hello would be shifted: version=2\.0\.0 10\.0% → 5\.0% → 50\.0%\n/)
  })

  it('shows a small share as a bound, and the share that was reached', () => {
    expect([0, 0.0004, 0.01].map(shareText)).toEqual(['0.0%', 'under 0.1%', '1.0%'])
    const doc = shiftDoc('hello', shifted(1, 0.000_02), { end: 'done', beforeRev: 7 })
    expect(render(doc)).toContain('10.0% → under 0.1%')
    const filter = { select: parseSelector('version=2.0.0'), addrs: [], host: null }
    expect(sharesOf(filter, shifted(1, 0.049).changes).to).toBe(0.049)
  })
})
