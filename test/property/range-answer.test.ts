import type { IKeyValue, IRangeResponse } from 'etcd3'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { keyBytes } from '../../src/domain/key-text.js'
import { readKeyValue } from '../../src/etcd/range.js'
import { readRangeAnswer, readRangeAnswers } from '../../src/etcd/range-answer.js'
import { kvMethod } from '../support/range-answers.js'

/** Bytes of keys and values, some of which are not UTF-8. */
const bytes = fc
  .oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 60 }))
  .map((from) => Buffer.from(from as Uint8Array))
const revision = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeNat()).map(String)
const lease = fc.oneof(fc.constant('0'), fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }).map(String))

const pair = fc.record({
  key: bytes,
  value: bytes,
  create_revision: revision,
  mod_revision: revision,
  version: revision,
  lease,
}) as fc.Arbitrary<IKeyValue>

const response = fc.record({
  header: fc.record({
    cluster_id: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String),
    member_id: lease,
    revision,
    raft_term: revision,
  }),
  kvs: fc.array(pair, { maxLength: 40 }),
  more: fc.boolean(),
  count: revision,
}) as fc.Arbitrary<IRangeResponse>

const range = kvMethod('Range')
const txn = kvMethod('Txn')

it('decodes a range response like etcd3', () => {
  fc.assert(
    fc.property(response, (sent) => {
      const encoded = range.responseSerialize(sent)
      const theirs = range.responseDeserialize(encoded) as IRangeResponse
      const { header, pairs, more, count, bytes } = readRangeAnswer(encoded)
      expect({ more, count: String(count), bytes }).toEqual({
        more: theirs.more,
        count: theirs.count,
        bytes: encoded.length,
      })
      expect(header).toEqual({
        clusterId: theirs.header.cluster_id,
        raftTerm: Number(theirs.header.raft_term),
        revision: Number(theirs.header.revision),
      })
      expect([...pairs]).toEqual(theirs.kvs.map(readKeyValue))
      expect(theirs.kvs.map((_, at) => pairs.keyBytes(at))).toEqual(theirs.kvs.map(({ key }) => key))
    }),
  )
})

it('decodes the ranges in a transaction response like etcd3', () => {
  fc.assert(
    fc.property(fc.array(response, { maxLength: 5 }), (sent) => {
      const responses = sent.map((answer) => ({ response_range: answer }))
      const encoded = txn.responseSerialize({ header: { revision: '9' }, succeeded: true, responses })
      const answers = readRangeAnswers(encoded)
      expect(answers.map(({ pairs }) => [...pairs])).toEqual(sent.map(({ kvs }) => kvs.map(readKeyValue)))
      expect(answers.map(({ more }) => more)).toEqual(sent.map(({ more }) => more))
    }),
  )
})

it('finds exactly the keys that contain a text, at any position', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é'), maxLength: 12 })
  const parts = fc.array(
    fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é'), minLength: 1, maxLength: 3 }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(key, key), { maxLength: 30 }), parts, (texts, wanted) => {
      const kvs = texts.map(([name, value]) => ({ key: keyBytes(name), value: keyBytes(value), lease: '1' }))
      const { pairs } = readRangeAnswer(range.responseSerialize({ kvs }))
      const expected = texts.flatMap(([name], at) => (wanted.some((part) => name.includes(part)) ? [at] : []))
      expect([...pairs.containing(wanted.map(keyBytes))]).toEqual(expected)
    }),
  )
})

it('rejects a truncated or damaged message, or reads the rest of it', () => {
  fc.assert(
    fc.property(response, fc.nat(), fc.nat(255), (sent, where, byte) => {
      const encoded = Buffer.from(range.responseSerialize(sent))
      if (encoded.length === 0) return
      const cut = encoded.subarray(0, where % encoded.length)
      const damaged = Buffer.from(encoded)
      damaged[where % encoded.length] = byte
      for (const message of [cut, damaged]) {
        for (const read of [readRangeAnswer, readRangeAnswers]) {
          try {
            read(message)
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError)
          }
        }
      }
    }),
  )
})
