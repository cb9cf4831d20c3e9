import type { RangeResult } from '../range.js'
import type { OpResult, TxnResult } from '../txn.js'
import { field3, keyOnlyField2, type Version } from '../version.js'
import type { RangeRequest } from './requests.js'
import { Writer } from './writer.js'

/** The maximum size of a response without its pairs: header, counts and tags. */
const ENVELOPE_BYTES = 96

/** Writes response headers (etcd API, ResponseHeader), which differ only in the revision. */
export class Headers {
  private readonly before: Buffer
  private readonly after: Buffer

  constructor(
    readonly clusterId: bigint,
    readonly memberId: bigint,
    readonly raftTerm: number,
  ) {
    this.before = new Writer().bigint(1, clusterId).bigint(2, memberId).body()
    this.after = new Writer().number(4, raftTerm).body()
  }

  /** A response that begins with its header (field 1). A revision of 0 is omitted. */
  response(revision: number, room = ENVELOPE_BYTES): Writer {
    const header = new Writer().raw(this.before).number(3, revision).raw(this.after).body()
    return new Writer(room).message(1, header)
  }
}

/** Within a transaction, the header of an operation has only its revision. */
function opResponse(revision: number, room = ENVELOPE_BYTES): Writer {
  return new Writer(room).message(1, new Writer().number(3, revision).body())
}

/** The fields of RangeResponse after its header. */
export function writeRange(writer: Writer, request: RangeRequest, result: RangeResult): Writer {
  for (const version of result.versions)
    writer.raw(request.keysOnly ? keyOnlyField2(version) : version.field2)
  return writer.boolean(3, result.more).number(4, result.count)
}

/** The size of the buffer for a range response. */
export function rangeBytes(result: RangeResult): number {
  return result.versions.reduce((bytes, version) => bytes + version.encodedBytes, ENVELOPE_BYTES)
}

/** PutResponse after its header. */
export function writePut(writer: Writer, previous: Version | undefined): Writer {
  return previous === undefined ? writer : writer.raw(previous.field2)
}

/** DeleteRangeResponse after its header. */
export function writeDelete(writer: Writer, deleted: readonly Version[], prevKv: boolean): Writer {
  writer.number(2, deleted.length)
  if (prevKv) for (const version of deleted) writer.raw(field3(version))
  return writer
}

/** TxnResponse after its header. */
export function writeTxn(writer: Writer, { succeeded, results }: TxnResult): Writer {
  writer.boolean(2, succeeded)
  for (const result of results) writer.message(3, responseOp(result))
  return writer
}

/** ResponseOp: the number of its only field is the kind of operation. */
function responseOp(op: OpResult): Buffer {
  if (op.kind === 'range') {
    const room = rangeBytes(op.result)
    const body = writeRange(opResponse(op.result.revision, room), op.request, op.result).body()
    return new Writer(room).message(1, body).body()
  }
  if (op.kind === 'put')
    return new Writer().message(2, writePut(opResponse(op.revision), op.previous).body()).body()
  if (op.kind === 'delete') {
    return new Writer().message(3, writeDelete(opResponse(op.revision), op.deleted, op.prevKv).body()).body()
  }
  // The header of a nested transaction is present and empty.
  return new Writer().message(4, writeTxn(opResponse(0), op.result).body()).body()
}
