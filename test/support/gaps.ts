import type { ShareLedger } from '../../src/stats/share-ledger.js'

/** The largest gap of any endpoint in picks, over all sets of members. */
export function largestGap(ledger: ShareLedger): number {
  return Math.max(...Object.values(ledger.largestGaps()))
}
