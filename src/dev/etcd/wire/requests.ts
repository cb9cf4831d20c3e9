import { Reader } from './reader.js'

/**
 * The requests of etcd's KV, Lease and Watch services, and their readers (etcd API v3.5, rpc.proto: the numbers are
 * its field numbers). Keys are latin1 text, one char per byte. A `rangeEnd` is undefined when the field was absent,
 * which differs from empty. RangeRequest.serializable (7) is not read: with one member, every read is both
 * serializable and linearizable.
 */
export interface RangeRequest {
  key: string
  rangeEnd: string | undefined
  limit: number
  revision: number
  sortOrder: number
  sortTarget: number
  keysOnly: boolean
  countOnly: boolean
  minModRevision: number
  maxModRevision: number
  minCreateRevision: number
  maxCreateRevision: number
}

export function readRange(source: Buffer): RangeRequest {
  const request: RangeRequest = {
    key: '',
    rangeEnd: undefined,
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  }
  eachField(source, (field, reader) => {
    if (field === 1) request.key = reader.text()
    else if (field === 2) request.rangeEnd = reader.text()
    else if (field === 3) request.limit = reader.number()
    else if (field === 4) request.revision = reader.number()
    else if (field === 5) request.sortOrder = reader.number()
    else if (field === 6) request.sortTarget = reader.number()
    else if (field === 8) request.keysOnly = reader.boolean()
    else if (field === 9) request.countOnly = reader.boolean()
    else if (field === 10) request.minModRevision = reader.number()
    else if (field === 11) request.maxModRevision = reader.number()
    else if (field === 12) request.minCreateRevision = reader.number()
    else if (field === 13) request.maxCreateRevision = reader.number()
    else reader.skip()
  })
  return request
}

export interface PutRequest {
  key: string
  value: Buffer
  lease: bigint
  prevKv: boolean
  ignoreValue: boolean
  ignoreLease: boolean
}

const NO_BYTES = Buffer.alloc(0)

export function readPut(source: Buffer): PutRequest {
  const request: PutRequest = {
    key: '',
    value: NO_BYTES,
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  }
  eachField(source, (field, reader) => {
    if (field === 1) request.key = reader.text()
    else if (field === 2) request.value = reader.bytes()
    else if (field === 3) request.lease = reader.bigint()
    else if (field === 4) request.prevKv = reader.boolean()
    else if (field === 5) request.ignoreValue = reader.boolean()
    else if (field === 6) request.ignoreLease = reader.boolean()
    else reader.skip()
  })
  return request
}

export interface DeleteRangeRequest {
  key: string
  rangeEnd: string | undefined
  prevKv: boolean
}

export function readDeleteRange(source: Buffer): DeleteRangeRequest {
  const request: DeleteRangeRequest = { key: '', rangeEnd: undefined, prevKv: false }
  eachField(source, (field, reader) => {
    if (field === 1) request.key = reader.text()
    else if (field === 2) request.rangeEnd = reader.text()
    else if (field === 3) request.prevKv = reader.boolean()
    else reader.skip()
  })
  return request
}

/**
 * The operand of a comparison, tagged with its field. If the field is not that of the target, the operand counts as 0.
 */
export type CompareOperand =
  | { readonly of: 'version' | 'createRevision' | 'modRevision'; readonly number: number }
  | { readonly of: 'value'; readonly bytes: Buffer }
  | { readonly of: 'lease'; readonly id: bigint }

export interface Compare {
  result: number
  target: number
  key: string
  rangeEnd: string | undefined
  operand: CompareOperand | undefined
}

function readCompare(source: Buffer): Compare {
  const compare: Compare = { result: 0, target: 0, key: '', rangeEnd: undefined, operand: undefined }
  eachField(source, (field, reader) => {
    if (field === 1) compare.result = reader.number()
    else if (field === 2) compare.target = reader.number()
    else if (field === 3) compare.key = reader.text()
    else if (field === 4) compare.operand = { of: 'version', number: reader.number() }
    else if (field === 5) compare.operand = { of: 'createRevision', number: reader.number() }
    else if (field === 6) compare.operand = { of: 'modRevision', number: reader.number() }
    else if (field === 7) compare.operand = { of: 'value', bytes: reader.bytes() }
    else if (field === 8) compare.operand = { of: 'lease', id: reader.bigint() }
    else if (field === 64) compare.rangeEnd = reader.text()
    else reader.skip()
  })
  return compare
}

export type RequestOp =
  | { readonly kind: 'range'; readonly request: RangeRequest }
  | { readonly kind: 'put'; readonly request: PutRequest }
  | { readonly kind: 'delete'; readonly request: DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: TxnRequest }
  | { readonly kind: 'empty' }

function readOp(source: Buffer): RequestOp {
  let op: RequestOp = { kind: 'empty' }
  eachField(source, (field, reader) => {
    if (field === 1) op = { kind: 'range', request: readRange(reader.bytes()) }
    else if (field === 2) op = { kind: 'put', request: readPut(reader.bytes()) }
    else if (field === 3) op = { kind: 'delete', request: readDeleteRange(reader.bytes()) }
    else if (field === 4) op = { kind: 'txn', request: readTxn(reader.bytes()) }
    else reader.skip()
  })
  return op
}

export interface TxnRequest {
  compare: Compare[]
  success: RequestOp[]
  failure: RequestOp[]
}

export function readTxn(source: Buffer): TxnRequest {
  const request: TxnRequest = { compare: [], success: [], failure: [] }
  eachField(source, (field, reader) => {
    if (field === 1) request.compare.push(readCompare(reader.bytes()))
    else if (field === 2) request.success.push(readOp(reader.bytes()))
    else if (field === 3) request.failure.push(readOp(reader.bytes()))
    else reader.skip()
  })
  return request
}

/** CompactionRequest; `physical` has no effect, since compaction completes before its answer. */
export function readCompactionRevision(source: Buffer): number {
  let revision = 0
  eachField(source, (field, reader) => {
    if (field === 1) revision = reader.number()
    else reader.skip()
  })
  return revision
}

/** Calls `read` for each field of a message; it must read or skip the field. */
export function eachField(source: Buffer, read: (field: number, reader: Reader) => void): void {
  const reader = new Reader(source)
  for (let field = reader.next(); field !== 0; field = reader.next()) read(field, reader)
}
