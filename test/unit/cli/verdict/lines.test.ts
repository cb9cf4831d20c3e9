import { describe, expect, it } from 'vitest'
import { verdictLines } from '../../../../src/cli/verdict/lines.js'
import type { Verdict } from '../../../../src/stats/verdict.js'
import { colored, plain, withoutColors } from '../../../support/palettes.js'
import { PASS } from '../../../support/verdicts.js'

const FAIL: Verdict = {
  result: 'fail',
  test: 'exact-multinomial',
  gap: 5.143,
  limit: null,
  p: 0.001628,
  alternative: 'equal split',
  alternativeP: 0.9884,
  equalSplitP: 0.9884,
  neededCalls: 26,
}
const JUDGED = { policy: 'weighted_random', calls: 10, weights: [1, 1, 1, 1, 10] }

function shown(verdict: Verdict, judged: Partial<typeof JUDGED> | { weights: null } = {}): string {
  const { head, below } = verdictLines(verdict, { ...JUDGED, ...judged }, plain)
  return [head, ...below].join('\n')
}

describe('a verdict as text', () => {
  it('passes', () => {
    expect(shown(PASS)).toBe(
      [
        'PASS  follows the weights: largest gap 0.71 call, 2 allowed (deterministic policy).',
        'Equal split ruled out (p = 0.005).',
      ].join('\n'),
    )
    expect(shown({ ...PASS, gap: 1.5, equalSplitP: 0.02 })).toBe(
      'PASS  follows the weights: largest gap 1.50 calls, 2 allowed (deterministic policy).',
    )
    const random = { ...PASS, limit: null, equalSplitP: null }
    expect(shown({ ...random, test: 'chi-square', p: 0.4249 })).toBe(
      'PASS  spreads evenly: p = 0.42 (chi-square test).',
    )
    expect(shown({ ...random, test: 'exact-multinomial', p: 1, neededCalls: null })).toBe(
      'PASS  the only endpoint gets every call.',
    )
  })

  it('fails, in the words of the reference', () => {
    expect(shown(FAIL)).toBe(
      [
        'FAIL  weights ignored: p = 0.0016 against 1:1:1:1:10; fits equal split (p = 0.99).',
        'Likely cause: client uses round_robin or random, which ignore weights.',
      ].join('\n'),
    )
    expect(shown({ ...FAIL, p: 1e-30, alternative: 'pick_first', alternativeP: 1 }, { weights: null })).toBe(
      [
        'FAIL  one endpoint gets every call: p < 0.0001 against the expected shares; fits pick_first (p = 1.00).',
        'Likely cause: client uses pick_first, as gRPC does by default, or all calls share one connection.',
      ].join('\n'),
    )
    expect(shown({ ...FAIL, alternative: 'stale weights', alternativeP: 0.3 }, { weights: ONES })).toContain(
      'changed weights ignored: p = 0.0016 against the weights; fits stale weights (p = 0.30)',
    )
    expect(shown({ ...FAIL, alternative: null })).toBe(
      'FAIL  strays from the expected shares: p = 0.0016 against 1:1:1:1:10; does not fit an equal split or pick_first either.',
    )
    expect(shown({ ...FAIL, alternative: null, equalSplitP: null })).toContain(
      'against an equal split; does not fit pick_first either.',
    )
  })

  it('is inconclusive, with the required number of calls', () => {
    const few: Verdict = { ...FAIL, result: 'inconclusive', p: 0.6405, alternative: null }
    expect(shown(few)).toBe(
      [
        'INCONCLUSIVE  too few calls: it takes 26 to notice ignored weights, and there were 10.',
        'Fits the expected shares so far: p = 0.64 (exact test).',
      ].join('\n'),
    )
    expect(shown({ ...few, equalSplitP: null })).toContain('26 to notice that one endpoint gets every call')
    expect(shown(few, { calls: 30 })).toContain('it takes 26 between two changes of membership to notice')
  })

  it('reports a policy without guaranteed shares, and a run without calls', () => {
    const none: Verdict = { ...PASS, result: 'not-judged', test: null, limit: null }
    expect(shown(none, { policy: 'ring_hash' })).toBe(
      'NOT JUDGED  ring_hash promises no shares: its picks depend on other inputs than weights.',
    )
    expect(shown({ ...FAIL, result: 'inconclusive' }, { calls: 0 })).toBe('NONE  no call was made')
  })

  it('has the same text with colors', () => {
    expect(verdictLines(FAIL, JUDGED, colored).head).toContain(colored.bold.red('FAIL'))
    expect(withoutColors(verdictLines(FAIL, JUDGED, colored).head)).toBe(
      verdictLines(FAIL, JUDGED, plain).head,
    )
  })
})

const ONES = Array.from({ length: 9 }, () => 1)
