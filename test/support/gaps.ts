import type { ShareLedger } from '../../src/stats/share-ledger.js'

/** In picks, over all memberships. */
export function largestGap(ledger: ShareLedger): number {
  return Math.max(...Object.values(ledger.largestGaps()))
}
