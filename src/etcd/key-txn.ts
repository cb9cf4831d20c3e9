import type { ICompare, IRequestOp } from 'etcd3'
import { type LeaseId, leaseDecimal } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import { oneKey } from './key-range.js'
import { rangedIn } from './range.js'
import { type Outcome, sendWrite } from './write-outcome.js'

/** Puts a key if it does not exist. @throws DiscoError OUTCOME_UNKNOWN */
export async function createKey(
  client: EtcdClient,
  key: string,
  value: Uint8Array,
  lease: LeaseId,
): Promise<Outcome> {
  const compare: ICompare = { target: 'Create', result: 'Equal', create_revision: 0 }
  const put = { request_put: { ...oneKey(key), value: Buffer.from(value), lease: leaseDecimal(lease) } }
  return await onKey(client, key, compare, put)
}

/** Deletes a key if it is attached to this lease. @throws DiscoError OUTCOME_UNKNOWN */
export async function deleteHeldBy(client: EtcdClient, key: string, lease: LeaseId): Promise<Outcome> {
  const compare: ICompare = { target: 'Lease', result: 'Equal', lease: leaseDecimal(lease) }
  return await onKey(client, key, compare, { request_delete_range: oneKey(key) })
}

/**
 * Runs one operation on a key if the comparison succeeds. After a lost answer, the lease of `found` shows who wrote the
 * key.
 */
async function onKey(
  client: EtcdClient,
  key: string,
  compare: ICompare,
  operation: IRequestOp,
): Promise<Outcome> {
  const range = { request_range: oneKey(key) }
  const request = { compare: [{ ...compare, ...oneKey(key) }], success: [operation], failure: [range] }
  const { response } = await sendWrite(client, key, request)
  const revision = Number(response.header.revision)
  if (response.succeeded) return { done: true, revision, proof: 'answer' }
  return { done: false, revision, found: rangedIn(response)[0] ?? null }
}
