import { satisfied } from './compare.js'
import { refusals } from './errors.js'
import { type RangeResult, selectRange } from './range.js'
import { asLogged, asSent, type RangeRule } from './sorted-keys.js'
import type { Store, View, WriteTxn } from './store.js'
import type { Version } from './version.js'
import type { DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from './wire/requests.js'

export type OpResult =
  | { readonly kind: 'range'; readonly request: RangeRequest; readonly result: RangeResult }
  | { readonly kind: 'put'; readonly revision: number; readonly previous: Version | undefined }
  | {
      readonly kind: 'delete'
      readonly revision: number
      readonly deleted: readonly Version[]
      readonly prevKv: boolean
    }
  | { readonly kind: 'txn'; readonly result: TxnResult }

export interface TxnResult {
  readonly succeeded: boolean
  readonly results: readonly OpResult[]
}

/** The operations of a transaction to run, after all comparisons, including nested ones, were evaluated. */
interface Plan {
  readonly succeeded: boolean
  readonly steps: ReadonlyArray<Exclude<RequestOp, { kind: 'txn' | 'empty' }> | { kind: 'txn'; plan: Plan }>
}

export type LeaseExists = (id: bigint) => boolean

/** Whether a request contains only reads. A nested transaction counts as a write, even one that only reads. */
export function isReadOnly({ success, failure }: TxnRequest): boolean {
  return success.every(({ kind }) => kind === 'range') && failure.every(({ kind }) => kind === 'range')
}

/**
 * Runs a checked transaction. All comparisons and checks are made before any operation runs, so that a refusal leaves
 * the store unchanged.
 *
 * @throws RpcError if a put requires a key or a lease that does not exist, or a range has a compacted or future
 * revision. Puts are checked before ranges.
 */
export function runTxn(store: Store, leaseExists: LeaseExists, request: TxnRequest): TxnResult {
  const readOnly = isReadOnly(request)
  const rule = readOnly ? asSent : asLogged
  const plan = decide(store, request, rule)
  checkPuts(store, leaseExists, plan)
  checkRanges(store, plan)
  if (readOnly) return { succeeded: plan.succeeded, results: readAll(store, plan) }
  return store.write((txn) => apply(txn, plan))
}

function decide(view: View, request: TxnRequest, rule: RangeRule): Plan {
  const succeeded = request.compare.every((compare) => satisfied(view, compare, rule))
  const ops = succeeded ? request.success : request.failure
  const steps = ops.flatMap((op): Plan['steps'] => {
    if (op.kind === 'empty') return []
    return [op.kind === 'txn' ? { kind: 'txn', plan: decide(view, op.request, rule) } : op]
  })
  return { succeeded, steps }
}

function checkPuts(store: Store, leaseExists: LeaseExists, plan: Plan): void {
  for (const step of plan.steps) {
    if (step.kind === 'txn') checkPuts(store, leaseExists, step.plan)
    if (step.kind !== 'put') continue
    const { key, lease, ignoreValue, ignoreLease } = step.request
    if ((ignoreValue || ignoreLease) && store.get(key) === undefined) throw refusals.keyNotFound()
    if (lease !== 0n && !leaseExists(lease)) throw refusals.leaseNotFound()
  }
}

/**
 * Refuses ranges at a future or compacted revision. Outside of a transaction, a negative revision means the newest one.
 * Here, as in etcd, it is refused if it is below the compacted revision, which is -1 before the first compaction.
 */
function checkRanges(store: Store, plan: Plan): void {
  for (const step of plan.steps) {
    if (step.kind === 'txn') checkRanges(store, step.plan)
    if (step.kind !== 'range' || step.request.revision === 0) continue
    if (step.request.revision > store.revision) throw refusals.futureRevision()
    if (step.request.revision < store.compactRevision) throw refusals.compacted()
  }
}

function readAll(view: View, plan: Plan): OpResult[] {
  return plan.steps.flatMap((step) => (step.kind === 'range' ? [read(view, step.request, asSent)] : []))
}

function read(view: View, request: RangeRequest, rule: RangeRule): OpResult {
  return { kind: 'range', request, result: selectRange(view, request, rule) }
}

function apply(txn: WriteTxn, plan: Plan): TxnResult {
  const results = plan.steps.map((step): OpResult => {
    if (step.kind === 'range') return read(txn, step.request, asLogged)
    if (step.kind === 'txn') return { kind: 'txn', result: apply(txn, step.plan) }
    return step.kind === 'put' ? runPut(txn, step.request) : runDelete(txn, step.request)
  })
  return { succeeded: plan.succeeded, results }
}

/** @throws RpcError if the key whose value or lease is kept does not exist */
export function runPut(txn: WriteTxn, request: PutRequest): OpResult & { kind: 'put' } {
  const { key, prevKv, ignoreValue, ignoreLease } = request
  const [before] = txn.range({ key, end: undefined })
  if ((ignoreValue || ignoreLease) && before === undefined) throw refusals.keyNotFound()
  const value = ignoreValue && before ? before.value : request.value
  const lease = ignoreLease && before ? before.lease : request.lease
  txn.put(key, value, lease)
  return { kind: 'put', revision: txn.revision, previous: prevKv ? before : undefined }
}

export function runDelete(txn: WriteTxn, request: DeleteRangeRequest): OpResult & { kind: 'delete' } {
  const deleted = txn.delete(asLogged(request.key, request.rangeEnd))
  return { kind: 'delete', revision: txn.revision, deleted, prevKv: request.prevKv }
}
