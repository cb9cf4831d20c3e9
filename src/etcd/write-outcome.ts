import type { ITxnRequest, ITxnResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { EtcdClient } from './client.js'
import type { KeyValue } from './pairs.js'

/** The outcome of a transaction: done at a revision, or refused because a key has changed. */
export type Outcome =
  | { readonly done: true; readonly revision: Revision; readonly proof: 'answer' }
  | ReadBack
  | {
      readonly done: false
      /** The newest revision at the time of the refusal. */
      readonly revision: Revision
      /** The first key of the transaction as of that revision; null if it does not exist. */
      readonly found: KeyValue | null
    }

/**
 * The answer was lost, and etcd's history has a write that equals ours. It may be another client's: a transaction does
 * not identify its sender. If another client's equal transaction was applied and ours never arrived, the history looks
 * the same.
 */
export interface ReadBack {
  readonly done: true
  readonly proof: 'read back'
  /** The revision of the write that was found. */
  readonly revision: Revision
  /** The current key-values, in the order of the writes; null for a missing key. */
  readonly current: readonly (KeyValue | null)[]
}

/**
 * Sends a transaction that writes. It may be delivered more than once.
 *
 * @param key a key of the transaction, for the message
 * @returns `isRepeated`: whether an answer was lost before this one, so that a refusal may be due to our own write
 * @throws DiscoError OUTCOME_UNKNOWN if etcd remains unreachable after a lost answer
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

/** The error for a write that etcd may have carried out. @param thrown the error that prevented finding out */
export function unknownOutcome(key: string, thrown: unknown): DiscoError {
  const cause = DiscoError.from(thrown)
  return unknownBecause(cause, `${key} may have been written`, [])
}

/**
 * The error for a write whose answer did not come.
 *
 * @param cause prevented finding out whether it was carried out
 * @param what may have been changed, as the beginning of a sentence
 * @param next the next steps, one line each
 */
export function unknownBecause(cause: DiscoError, what: string, next: readonly string[]): DiscoError {
  const isInterrupted = cause.code === 'INTERRUPTED'
  const why = isInterrupted ? 'interrupted before etcd answered' : "etcd's answer was lost"
  return new DiscoError('OUTCOME_UNKNOWN', `${what}: ${why}`, {
    cause,
    suggestions: isInterrupted ? next : [...next, cause.message, ...cause.suggestions],
    ...(isInterrupted ? { exit: cause.exit } : {}),
  })
}
