import type { Message } from '../support/etcd-api.js'

/** One thing to do to a registry. Plain JSON, so that a script that shows a difference can be printed and kept. */
export type Step =
  | { readonly do: 'call'; readonly path: string; readonly request: Message }
  | { readonly do: 'keepAlive'; readonly id: string }
  /** A WatchRequest on a stream, which is opened by its first use. Answered when the server has taken it in. */
  | { readonly do: 'watch'; readonly stream: number; readonly request: Message }
  | { readonly do: 'closeStream'; readonly stream: number }
  /** Waits until every stream has all the events that are due. */
  | { readonly do: 'settle' }

/** Calls that change nothing may run side by side; a change must have the server to itself. */
const READS = new Set(['KV/Range', 'Lease/LeaseTimeToLive', 'Lease/LeaseLeases', 'Cluster/MemberList'])

export function isRead(step: Step): boolean {
  return step.do === 'call' && READS.has(step.path)
}

/** Bytes, given one char each, as protobuf's JSON has them: in base64. */
export function bytes(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('base64')
}

export const call = (path: string, request: Message): Step => ({ do: 'call', path, request })

/** The key that `settle` writes to; no script uses it. */
export const FENCE_KEY = bytes('~fence')
