import type { ITxnRequest, ITxnResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import type { KeyValue } from './range.js'

/** What a transaction came to: done at a revision, or refused by the keys as they are now. */
export type Outcome =
  | { readonly done: true; readonly revision: Revision; readonly proof: 'answer' }
  | ReadBack
  | {
      readonly done: false
      /** As of which revision it was refused. */
      readonly revision: Revision
      /** The first of the keys, as it was then. */
      readonly found: KeyValue | null
    }

/**
 * The answer was lost, and the history of etcd has a write that equals ours. It may be another client's: a
 * transaction leaves no mark of its sender, so two equal ones, of which one never arrived, leave the same history.
 */
export interface ReadBack {
  readonly done: true
  readonly proof: 'read back'
  /** Of the write that was found. */
  readonly revision: Revision
  /** The keys as they stand now, in the order of the writes; null for each that is not there. */
  readonly standing: readonly (KeyValue | null)[]
}

/**
 * Sends a transaction that writes, and may be delivered more than once.
 *
 * @param key for the message
 * @returns `isRepeated`: whether an answer was lost before this one, so that a refusal may be due to our own write
 * @throws DiscoError OUTCOME_UNKNOWN where etcd stays away after a lost answer
 */
export async function sendWrite(
  client: EtcdClient,
  key: string,
  request: ITxnRequest,
): Promise<{ readonly response: ITxnResponse; readonly isRepeated: boolean }> {
  let isAnswerLost = false
  try {
    const response = await client.txn(request, () => {
      isAnswerLost = true
    })
    return { response, isRepeated: isAnswerLost }
  } catch (error) {
    throw isAnswerLost ? unknownOutcome(key, error) : error
  }
}

/** etcd may have carried out a write to this key: whether it has could not be found out, because of this. */
export function unknownOutcome(key: string, thrown: unknown): DiscoError {
  const cause = DiscoError.from(thrown)
  return new DiscoError('OUTCOME_UNKNOWN', `${key} may have been written: etcd's answer was lost`, {
    cause,
    suggestions: [cause.message, ...cause.suggestions],
  })
}
