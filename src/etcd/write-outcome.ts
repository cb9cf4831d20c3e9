import type { ITxnRequest, ITxnResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import type { KeyValue } from './pairs.js'

/** The outcome of a transaction: done at a revision, or refused because of the current keys. */
export type Outcome =
  | { readonly done: true; readonly revision: Revision; readonly proof: 'answer' }
  | ReadBack
  | {
      readonly done: false
      /** The revision at which it was refused. */
      readonly revision: Revision
      /** The first of the keys, as of that revision. */
      readonly found: KeyValue | null
    }

/**
 * The answer was lost, and etcd's history has a write that equals ours. It may be another client's: a transaction
 * does not identify its sender, so two equal ones, of which one never arrived, leave the same history.
 */
export interface ReadBack {
  readonly done: true
  readonly proof: 'read back'
  /** The revision of the write that was found. */
  readonly revision: Revision
  /** The current keys, in the order of the writes; null for each missing one. */
  readonly current: readonly (KeyValue | null)[]
}

/**
 * Sends a transaction that writes, and may be delivered more than once.
 *
 * @param key for the message
 * @returns `isRepeated`: whether an answer was lost before this one, so that a refusal may be due to our own write
 * @throws DiscoError OUTCOME_UNKNOWN if etcd stays away after a lost answer
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

/** etcd may have carried out a write to this key; `cause` prevented finding out. */
export function unknownOutcome(key: string, thrown: unknown): DiscoError {
  const cause = DiscoError.from(thrown)
  return new DiscoError('OUTCOME_UNKNOWN', `${key} may have been written: etcd's answer was lost`, {
    cause,
    suggestions: [cause.message, ...cause.suggestions],
  })
}
