import type { Verdict } from '../../src/stats/verdict.js'

/** 1/1/1/0/7 picks over the weights 1-1-1-1-10, by a policy that follows its weights to the pick. */
export const PASS: Verdict = {
  ...{ result: 'pass', test: 'max-gap', gap: 0.714, limit: 2, p: null },
  ...{ alternative: null, alternativeP: null, equalSplitP: 0.00501, neededCalls: 10 },
}
