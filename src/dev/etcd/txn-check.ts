import { refusals } from './errors.js'
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from './wire/requests.js'

/** etcd's default for --max-txn-ops: the maximum length of each of a transaction's three lists. */
const MAX_TXN_OPS = 128

/**
 * Checks a request as etcd does before it reads the store, like the other functions of this file. They throw RpcError.
 */
export function checkRange(request: RangeRequest | DeleteRangeRequest | Compare): void {
  if (request.key === '') throw refusals.emptyKey()
}

export function checkPut(request: PutRequest): void {
  if (request.key === '') throw refusals.emptyKey()
  if (request.ignoreValue && request.value.length > 0) throw refusals.valueProvided()
  if (request.ignoreLease && request.lease !== 0n) throw refusals.leaseProvided()
}

/** Checks all sizes and keys first, then whether two operations would write the same key. */
export function checkTxn(request: TxnRequest): void {
  checkShape(request, MAX_TXN_OPS)
  writesOf(request.success)
  writesOf(request.failure)
}

/** The limit of a nested transaction is that of the enclosing one, minus the length of its longest list. */
function checkShape({ compare, success, failure }: TxnRequest, maxOps: number): void {
  const longest = Math.max(compare.length, success.length, failure.length)
  if (longest > maxOps) throw refusals.tooManyOps()
  for (const comparison of compare) checkRange(comparison)
  for (const op of [...success, ...failure]) {
    if (op.kind === 'put') checkPut(op.request)
    else if (op.kind === 'txn') checkShape(op.request, maxOps - longest)
    else if (op.kind === 'empty') throw refusals.keyNotFound()
    else checkRange(op.request)
  }
}

interface Writes {
  readonly puts: Set<string>
  readonly deletes: Array<{ readonly from: string; readonly to: string }>
}

/**
 * The keys that a list of operations may put and the ranges that it may delete, nested ones included.
 *
 * The rule is etcd's, with its gaps: a range_end of `\0` is taken literally here, so that "delete from key on"
 * overlaps nothing; and a delete in a later nested transaction does not conflict with the puts of an earlier one.
 * Both branches of one nested transaction may put the same key, since only one of them runs.
 *
 * @throws RpcError when a key would be put twice, or both put and deleted
 */
function writesOf(ops: readonly RequestOp[]): Writes {
  const writes: Writes = { puts: new Set(), deletes: [] }
  const { puts, deletes } = writes
  const deleted = (key: string) => deletes.some(({ from, to }) => from <= key && key < to)

  for (const op of ops) {
    if (op.kind !== 'delete') continue
    const { key, rangeEnd } = op.request
    deletes.push({ from: key, to: rangeEnd || `${key}\0` })
  }
  for (const op of ops) {
    if (op.kind !== 'txn') continue
    const success = writesOf(op.request.success)
    const failure = writesOf(op.request.failure)
    const clash = (key: string) => puts.has(key) || deleted(key)
    const nested = new Set([...success.puts, ...failure.puts])
    if ([...nested].some(clash)) throw refusals.duplicateKey()
    for (const key of nested) puts.add(key)
    deletes.push(...success.deletes, ...failure.deletes)
  }
  for (const op of ops) {
    if (op.kind !== 'put') continue
    const { key } = op.request
    if (puts.has(key) || deleted(key)) throw refusals.duplicateKey()
    puts.add(key)
  }
  return writes
}
