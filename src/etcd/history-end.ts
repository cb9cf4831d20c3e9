import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import type { KeyRange } from './key-range.js'
import type { AnswerHeader } from './range-answer.js'

/** The newest revision of etcd and of a range, at the time of a read. */
export interface HistoryEnd extends AnswerHeader {
  /** The revision of the last change of an existing key; 0 for an empty range. */
  readonly lastPut: Revision
}

/** Fields of a range request for the key with the highest mod revision: SortOrder DESCEND, SortTarget MOD. */
export const NEWEST = { limit: 1, sort_order: 2, sort_target: 3 } as const

/** Reads the end of a range's history. */
export async function historyEnd(client: EtcdClient, range: KeyRange): Promise<HistoryEnd> {
  const { header, pairs } = await client.range({ ...range, ...NEWEST, keys_only: true })
  return { ...header, lastPut: pairs.length > 0 ? pairs.at(0).modRevision : 0 }
}

/** The number of revisions in a full response to a watch that is behind (`watchBatchMaxRevs` of etcd 3.0 to 3.6). */
const BATCH_REVISIONS = 1_000

/** Number of progress responses, with a pause in between, that prove that no older event will come. */
const QUIET_ANSWERS = 2

type Response = Pick<IWatchResponse, 'events' | 'created'> & {
  readonly header: Pick<IWatchResponse['header'], 'revision'>
}

/**
 * Decides when a watch from the past has delivered all events up to a revision. etcd does not report this.
 *
 * An event after that revision proves it. A progress response proves it with etcd 3.5.8, 3.4.25 and later, which answer
 * only when the watch has caught up. Older ones answer at once with the newest revision (etcd-io/etcd#15220): then two
 * answers with a pause in between are needed, or one after a response that was not full, because a watch that is behind
 * receives full ones. In any case, the last put of an existing key (`lastPut`) must have been delivered.
 */
export class ReplayEnd {
  private quietAnswers = 0
  /** The number of revisions in the last response with events. */
  private revisions = 0

  /** @param ask requests a progress response at once */
  constructor(
    private readonly end: Pick<HistoryEnd, 'revision' | 'lastPut'>,
    private readonly ask: () => void,
  ) {}

  /** @param reached the revision of the last event */
  isReached(response: Response, reached: Revision): boolean {
    const { events, created, header } = response
    const { revision, lastPut } = this.end
    const isQuiet = events.length === 0
    if (!isQuiet) this.count(events)
    if (reached > revision) return true
    if (created) return false
    // A response contains whole revisions only.
    if (reached === revision && !isQuiet) return true
    if (reached < lastPut || Number(header.revision) < revision) return false
    const isShort = this.revisions > 0 && this.revisions < BATCH_REVISIONS
    if (isQuiet) this.quietAnswers++
    else if (isShort) this.ask()
    return this.quietAnswers >= (isShort ? 1 : QUIET_ANSWERS)
  }

  private count(events: Response['events']): void {
    this.quietAnswers = 0
    this.revisions = new Set(events.map(({ kv }) => kv.mod_revision)).size
  }
}
