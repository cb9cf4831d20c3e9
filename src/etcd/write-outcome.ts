import type { ITxnRequest, ITxnResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import type { KeyValue } from './range.js'

/** What a transaction came to: done at a revision, or refused by the keys as they are now. */
export type Outcome =
  | { readonly done: true; readonly revision: Revision; readonly proof: Proof }
  | {
      readonly done: false
      /** As of which revision it was refused. */
      readonly revision: Revision
      /** The first of the keys, as it was then. */
      readonly found: KeyValue | null
    }

/**
 * How it is known that a write is done: etcd answered; or the answer was lost and the write was read back. `covered`:
 * read back from the history, because one of the keys has been written again or deleted since.
 */
export type Proof = 'answer' | 'read back' | 'covered'

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
