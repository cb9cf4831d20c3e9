import { setImmediate as turn } from 'node:timers/promises'
import type { Revision } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import { keyAfter, type RangeAt } from './key-range.js'
import type { Pairs } from './pairs.js'
import type { AnswerHeader, RangeAnswer } from './range-answer.js'

/** A part of a range, in the order of its keys. */
export interface Page {
  readonly header: AnswerHeader
  /** The revision at which all pages are read. */
  readonly revision: Revision
  readonly pairs: Pairs
  /** The start of the next page; null for the last. */
  readonly next: Buffer | null
}

/** Number of keys of the first page: enough for nearly all services, and small even with values of some kilobytes. */
const FIRST_PAGE_KEYS = 5_000

/**
 * Maximum number of keys of a page. It is large, because etcd walks all remaining keys for every page: many small pages
 * take quadratic time.
 */
const MAX_PAGE_KEYS = 100_000

/** Target size and time of a page: on a slow link it must meet the request's deadline. */
const PAGE_BYTES = 8 * 1024 * 1024
const PAGE_MS = 500

/** Maximum growth of the limit from page to page: values of the next page may be larger. */
const MAX_GROWTH = 4

/**
 * Reads a range page by page, all at one revision: `range.revision`, or else the newest one at the first page. Pages
 * grow while they stay small and quick. The next page is requested before a page is yielded, so that it arrives while
 * the caller decodes.
 *
 * @throws DiscoError INTERNAL (see `isOutOfHistory`) when the revision is compacted before the last page
 */
export async function* pages(
  client: Pick<EtcdClient, 'range'>,
  range: RangeAt,
  { keysOnly }: { readonly keysOnly: boolean },
): AsyncGenerator<Page, void, void> {
  let revision: Revision = range.revision ?? 0
  let limit = FIRST_PAGE_KEYS
  const fetch = async (key: Buffer): Promise<RangeAnswer> => {
    const startedMs = performance.now()
    const answer = await client.range({ ...range, key, limit, revision, keys_only: keysOnly })
    limit = nextLimit(limit, answer.bytes, performance.now() - startedMs)
    return answer
  }
  let coming: Promise<RangeAnswer> | null = fetch(range.key)
  while (coming) {
    const { header, pairs, more }: RangeAnswer = await coming
    if (revision === 0) revision = header.revision
    const next: Buffer | null = more && pairs.length > 0 ? keyAfter(pairs.keyBytes(pairs.length - 1)) : null
    coming = next ? fetch(next) : null
    // The failure is thrown when the page is awaited; the caller may stop before.
    coming?.catch(() => undefined)
    // Lets the event loop send the request before the caller decodes this page.
    if (coming) await turn()
    yield { header, revision, pairs, next }
  }
}

function nextLimit(limit: number, bytes: number, tookMs: number): number {
  const growth = Math.min(MAX_GROWTH, PAGE_BYTES / bytes, PAGE_MS / tookMs)
  return Math.max(1, Math.min(MAX_PAGE_KEYS, Math.floor(limit * growth)))
}
