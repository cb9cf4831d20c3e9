import { createRequire } from 'node:module'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import type { IKeyValue } from 'etcd3'
import { type RangeAnswer, readRangeAnswer } from '../../src/etcd/range-answer.js'

/** Decodes etcd’s messages like etcd3. */
const definition = loadSync(createRequire(import.meta.url).resolve('etcd3/proto/rpc.proto'), {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
})

/** The Range or Txn method of etcd’s KV service. */
export function kvMethod(name: 'Range' | 'Txn'): MethodDefinition<object, object> {
  const found = (definition['etcdserverpb.KV'] as ServiceDefinition)[name]
  if (found === undefined) throw new Error(`etcd's API has no ${name}`)
  return found as MethodDefinition<object, object>
}

/** An answer at revision 7, encoded like etcd and decoded like the client. */
export function rangeAnswer(kvs: readonly IKeyValue[], more: boolean): RangeAnswer {
  const answer = { header: { revision: '7' }, kvs, more, count: '0' }
  return readRangeAnswer(kvMethod('Range').responseSerialize(answer))
}
