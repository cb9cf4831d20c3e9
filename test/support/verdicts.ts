import type { Verdict } from '../../src/stats/verdict.js'

/** The verdict on 1, 1, 1, 0 and 7 picks with weights 1, 1, 1, 1 and 10, under a policy with exact shares. */
export const PASS: Verdict = {
  result: 'pass',
  test: 'max-gap',
  gap: 0.714,
  limit: 2,
  p: null,
  alternative: null,
  alternativeP: null,
  equalSplitP: 0.00501,
  neededCalls: 10,
}
