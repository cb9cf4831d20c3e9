import { setImmediate as turn } from 'node:timers/promises'
import type { Revision } from '../domain/endpoint.js'
import { keyBytes } from '../domain/key-text.js'
import type { KeyFilter } from '../domain/layouts/reader.js'
import { MAX_OPERATIONS } from './atomic-write.js'
import type { EtcdClient } from './client.js'
import { keyAfter, type RangeAt } from './key-range.js'
import { pages } from './pages.js'
import type { KeyValue, Pairs } from './pairs.js'
import type { AnswerHeader } from './range-answer.js'

/** One page of a filtered range. */
export interface FilteredPage {
  readonly header: AnswerHeader
  readonly revision: Revision
  /** Keys that match, with their values. */
  readonly kvs: readonly KeyValue[]
  /** Number of keys that do not match; their values are never fetched. */
  readonly others: number
  /** The keys that do not match. */
  otherKeys(): Iterable<string>
  /** See `Page.next`. */
  readonly next: Buffer | null
}

/**
 * Maximum number of values that one transaction reads: a page of keys without values is small, but a value may have
 * several kilobytes.
 */
const MAX_KEYS = 5_000

/**
 * Lists the keys of a range without values, page by page at the first page's revision, and fetches the values of the
 * keys that match. For ranges in which most keys are not registrations.
 *
 * @throws DiscoError INTERNAL (see `isOutOfHistory`) when that revision is compacted before the last page
 */
export async function* filteredPages(
  client: EtcdClient,
  range: RangeAt,
  filter: KeyFilter,
): AsyncGenerator<FilteredPage, void, void> {
  for await (const { header, revision, pairs, next } of pages(client, range, { keysOnly: true })) {
    const kept = matching(pairs, filter)
    const kvs = await valuesOf(client, runsOf(pairs, kept), revision)
    const otherKeys = () => others(pairs, kept)
    yield { header, revision, kvs, others: pairs.length - kept.length, next, otherKeys }
  }
}

/** Indexes of the keys that match. */
function matching(pairs: Pairs, filter: KeyFilter): number[] {
  const kept: number[] = []
  if (filter.parts) {
    const parts = filter.parts.map(keyBytes)
    for (const index of pairs.containing(parts)) if (filter(pairs.key(index))) kept.push(index)
  } else {
    for (let index = 0; index < pairs.length; index++) if (filter(pairs.key(index))) kept.push(index)
  }
  return kept
}

function* others(pairs: Pairs, kept: readonly number[]): Generator<string, void, void> {
  let next = 0
  for (let index = 0; index < pairs.length; index++) {
    if (kept[next] === index) next++
    else yield pairs.key(index)
  }
}

/** Consecutive keys of a page, all of which match. They are read as one range. */
interface Run {
  readonly first: Buffer
  readonly last: Buffer
  readonly keys: number
}

/** The runs of kept keys, each of at most `MAX_KEYS` keys. */
function* runsOf(pairs: Pairs, kept: readonly number[]): Generator<Run, void, void> {
  for (let at = 0; at < kept.length; ) {
    const from = kept[at] ?? 0
    let keys = 1
    while (keys < MAX_KEYS && kept[at + keys] === from + keys) keys++
    yield { first: pairs.keyBytes(from), last: pairs.keyBytes(from + keys - 1), keys }
    at += keys
  }
}

/**
 * Reads the key-values of runs, many runs in one transaction. The next transaction is sent before the answer to the
 * last one is decoded.
 */
async function valuesOf(client: EtcdClient, runs: Iterable<Run>, revision: Revision): Promise<KeyValue[]> {
  const kvs: KeyValue[] = []
  const groups = inGroups(runs)
  const fetch = () => {
    const { value: group } = groups.next()
    if (!group) return null
    const answers = client.ranges(
      group.map(({ first, last }) => ({ key: first, range_end: keyAfter(last), revision })),
    )
    // The failure is thrown when the answers are awaited.
    answers.catch(() => undefined)
    return answers
  }
  let coming = fetch()
  while (coming) {
    const answers = await coming
    coming = fetch()
    // Lets the event loop send the request before these answers are decoded.
    if (coming) await turn()
    for (const { pairs } of answers) for (const kv of pairs) kvs.push(kv)
  }
  return kvs
}

/** Groups runs into transactions, in order. */
function* inGroups(runs: Iterable<Run>): Generator<Run[], void, void> {
  let group: Run[] = []
  let keys = 0
  for (const run of runs) {
    if (group.length === MAX_OPERATIONS || (group.length > 0 && keys + run.keys > MAX_KEYS)) {
      yield group
      group = []
      keys = 0
    }
    group.push(run)
    keys += run.keys
  }
  if (group.length > 0) yield group
}
