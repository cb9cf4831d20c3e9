import type { ServerStream, StreamHandler, StreamMethod, UnaryMethod } from '../transport/service.js'
import { eachField } from '../wire/requests.js'
import { readId } from '../wire/watch-requests.js'
import { Writer } from '../wire/writer.js'
import type { Context } from './context.js'

/** LeaseTimeToLiveResponse.TTL of a lease that does not exist. */
const NO_SUCH_LEASE = -1

/** The unary methods of etcdserverpb.Lease. TTLs are in seconds. */
export function leaseMethods({ store, leases, headers }: Context): Record<string, UnaryMethod> {
  return {
    '/etcdserverpb.Lease/LeaseGrant': (source) => {
      const { id, ttlSeconds } = readGrant(source)
      const lease = leases.grant(id, ttlSeconds)
      return headers.response(store.revision).bigint(2, lease.id).number(3, lease.ttlSeconds).frame()
    },
    '/etcdserverpb.Lease/LeaseRevoke': (source) => {
      leases.revoke(readId(source))
      return headers.response(store.revision).frame()
    },
    '/etcdserverpb.Lease/LeaseTimeToLive': (source) => {
      const { id, keys } = readTimeToLive(source)
      const lease = leases.get(id)
      const response = headers.response(store.revision).bigint(2, id)
      if (lease === undefined) return response.number(3, NO_SUCH_LEASE).frame()
      response.number(3, leases.remainingSeconds(lease)).number(4, lease.ttlSeconds)
      if (keys) for (const key of [...lease.keys].sort()) response.message(5, Buffer.from(key, 'latin1'))
      return response.frame()
    },
    '/etcdserverpb.Lease/LeaseLeases': () => {
      const response = headers.response(store.revision)
      for (const { id } of leases.all()) response.message(2, new Writer().bigint(1, id).body())
      return response.frame()
    },
  }
}

/** LeaseKeepAlive: requests are answered in order. A TTL of 0 means that the lease does not exist. */
export function keepAliveMethod({ store, leases, headers }: Context): StreamMethod {
  return (stream: ServerStream): StreamHandler => ({
    message(source) {
      const id = readId(source)
      const ttlSeconds = leases.keepAlive(id)
      stream.send(headers.response(store.revision).bigint(2, id).number(3, ttlSeconds).frame())
    },
    halfClosed: () => stream.end(),
    drained() {},
    closed() {},
  })
}

function readGrant(source: Buffer): { id: bigint; ttlSeconds: number } {
  const request = { id: 0n, ttlSeconds: 0 }
  eachField(source, (field, reader) => {
    if (field === 1) request.ttlSeconds = reader.number()
    else if (field === 2) request.id = reader.bigint()
    else reader.skip()
  })
  return request
}

function readTimeToLive(source: Buffer): { id: bigint; keys: boolean } {
  const request = { id: 0n, keys: false }
  eachField(source, (field, reader) => {
    if (field === 1) request.id = reader.bigint()
    else if (field === 2) request.keys = reader.boolean()
    else reader.skip()
  })
  return request
}
