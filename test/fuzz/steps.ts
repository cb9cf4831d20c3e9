import type { Message } from '../support/etcd-api.js'

/** An operation on a registry. It is plain JSON, so that a script that shows a difference can be printed and stored. */
export type Step =
  | { readonly do: 'call'; readonly path: string; readonly request: Message }
  | { readonly do: 'keepAlive'; readonly id: string }
  /** A WatchRequest on a stream, which is opened by its first use. Answered when the server has taken it in. */
  | { readonly do: 'watch'; readonly stream: number; readonly request: Message }
  | { readonly do: 'closeStream'; readonly stream: number }
  /** Waits until every stream has all the events that are due. */
  | { readonly do: 'settle' }

/** Calls that change nothing, and may run concurrently. A change must not run beside any other call. */
const READS = new Set(['KV/Range', 'Lease/LeaseTimeToLive', 'Lease/LeaseLeases', 'Cluster/MemberList'])

export function isRead(step: Step): boolean {
  return step.do === 'call' && READS.has(step.path)
}

/** Bytes, given one character each, in base64 as in protobuf’s JSON. */
export function bytes(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('base64')
}

export const call = (path: string, request: Message): Step => ({ do: 'call', path, request })

/** The key that `settle` writes. No script uses it. */
export const FENCE_KEY = bytes('~fence')
