import type { CallRequest } from '../grpc/invoker.js'
import type { Load } from './load.js'
import type { CallResult } from './report.js'

/** What a call sends. */
export type CallContent = Pick<CallRequest, 'messages' | 'headers' | 'hashKey'>

export interface RunPlan {
  readonly load: Load
  /** Made before and left out of the report; null for none. */
  readonly warmup: Load | null
  readonly deadlineMs: number
  /** @param number the call's own, from 1 on, over the whole run */
  readonly content: (number: number) => CallContent
  /** Told after each call, as it ends. */
  readonly onResult?: (result: CallResult) => void
  /** Whether results carry the reply's headers. */
  readonly wantsHeaders: boolean
  /** Whether results carry every reply of a stream, or only the last. */
  readonly keepsReplies: boolean
  /** Told each reply as it comes. */
  readonly onReply?: (bytes: Uint8Array) => void
}
