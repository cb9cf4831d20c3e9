import { refusals } from '../errors.js'
import { selectRange } from '../range.js'
import type { UnaryMethod } from '../transport/service.js'
import { isReadOnly, runDelete, runPut, runTxn } from '../txn.js'
import { checkPut, checkRange, checkTxn } from '../txn-check.js'
import { readCompactionRevision, readDeleteRange, readPut, readRange, readTxn } from '../wire/requests.js'
import { rangeBytes, writeDelete, writePut, writeRange, writeTxn } from '../wire/responses.js'
import type { Context } from './context.js'

/** etcd's default for --max-request-bytes: 1.5 MiB for a write as encoded in the raft log. */
const MAX_LOG_ENTRY_BYTES = 1.5 * 1024 * 1024

/** What the raft log adds to a large request: a header with its id, a tag and a length. */
const LOG_OVERHEAD_BYTES = 17

/** etcdserverpb.KV: like etcd, it checks the request, then its size, then the store. */
export function kvMethods({ store, leases, headers }: Context): Record<string, UnaryMethod> {
  const leaseExists = (id: bigint) => leases.has(id)
  return {
    '/etcdserverpb.KV/Range': (source) => {
      const request = readRange(source)
      checkRange(request)
      const result = selectRange(store, request)
      return writeRange(headers.response(result.revision, rangeBytes(result)), request, result).frame()
    },
    '/etcdserverpb.KV/Put': (source) => {
      const request = readPut(source)
      checkPut(request)
      checkSize(source)
      if (request.lease !== 0n && !leaseExists(request.lease)) throw refusals.leaseNotFound()
      const { revision, previous } = store.write((txn) => runPut(txn, request))
      return writePut(headers.response(revision), previous).frame()
    },
    '/etcdserverpb.KV/DeleteRange': (source) => {
      const request = readDeleteRange(source)
      checkRange(request)
      checkSize(source)
      const { revision, deleted, prevKv } = store.write((txn) => runDelete(txn, request))
      return writeDelete(headers.response(revision), deleted, prevKv).frame()
    },
    '/etcdserverpb.KV/Txn': (source) => {
      const request = readTxn(source)
      checkTxn(request)
      if (!isReadOnly(request)) checkSize(source)
      const result = runTxn(store, leaseExists, request)
      return writeTxn(headers.response(store.revision), result).frame()
    },
    '/etcdserverpb.KV/Compact': (source) => {
      store.compact(readCompactionRevision(source))
      return headers.response(store.revision).frame()
    },
  }
}

function checkSize(source: Buffer): void {
  if (source.length + LOG_OVERHEAD_BYTES > MAX_LOG_ENTRY_BYTES) throw refusals.requestTooLarge()
}
