import type { Revision } from '../domain/endpoint.js'
import { Pairs } from './pairs.js'
import { WireReader } from './wire.js'

/** The header of an answer: the cluster, and its raft term and revision. */
export interface AnswerHeader {
  readonly clusterId: string
  readonly raftTerm: number
  /** The newest revision of the cluster at that time. */
  readonly revision: Revision
}

/** An etcdserverpb.RangeResponse. */
export interface RangeAnswer {
  readonly header: AnswerHeader
  readonly pairs: Pairs
  /** Whether the range has more keys than the limit of the request. */
  readonly more: boolean
  /** Number of keys in the whole range. */
  readonly count: number
  /** Size of the encoded answer. */
  readonly bytes: number
}

/** Tags of fields in RangeResponse and ResponseHeader: field number times eight, plus wire type. */
const RESPONSE = { header: 0x0a, kvs: 0x12, more: 0x18, count: 0x20 } as const
const HEADER = { clusterId: 0x08, revision: 0x18, raftTerm: 0x20 } as const
/** Tags of fields in TxnResponse and its ResponseOp. */
const TXN = { responses: 0x1a, range: 0x0a } as const

/** Decodes a RangeResponse. @throws RangeError for any other message */
export function readRangeAnswer(bytes: Buffer): RangeAnswer {
  return readRange(bytes, 0, bytes.length)
}

/** Answers to a transaction that only reads ranges, in their order. @throws RangeError */
export function readRangeAnswers(bytes: Buffer): RangeAnswer[] {
  const answers: RangeAnswer[] = []
  const reader = new WireReader(bytes)
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== TXN.responses) {
      reader.skip(tag)
      continue
    }
    const end = reader.field()
    const operation = new WireReader(bytes, reader.at, end)
    for (let inner = operation.tag(); inner !== 0; inner = operation.tag()) {
      if (inner !== TXN.range) {
        operation.skip(inner)
        continue
      }
      const to = operation.field()
      answers.push(readRange(bytes, operation.at, to))
      operation.at = to
    }
    reader.at = end
  }
  return answers
}

function readRange(bytes: Buffer, start: number, end: number): RangeAnswer {
  const reader = new WireReader(bytes, start, end)
  let header: AnswerHeader = { clusterId: '0', raftTerm: 0, revision: 0 }
  const starts: number[] = []
  let more = false
  let count = 0
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === RESPONSE.kvs) {
      starts.push(reader.at)
      reader.skip(tag)
    } else if (tag === RESPONSE.header) {
      const to = reader.field()
      header = readHeader(new WireReader(bytes, reader.at, to))
      reader.at = to
    } else if (tag === RESPONSE.more) more = reader.uint() !== 0
    else if (tag === RESPONSE.count) count = reader.uint()
    else reader.skip(tag)
  }
  return { header, pairs: new Pairs(bytes, starts), more, count, bytes: end - start }
}

function readHeader(reader: WireReader): AnswerHeader {
  let clusterId = '0'
  let raftTerm = 0
  let revision = 0
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === HEADER.clusterId) {
      reader.varint()
      clusterId = String((BigInt(reader.high) << 32n) | BigInt(reader.low))
    } else if (tag === HEADER.raftTerm) raftTerm = reader.uint()
    else if (tag === HEADER.revision) revision = reader.uint()
    else reader.skip(tag)
  }
  return { clusterId, raftTerm, revision }
}
