import type { CallContent } from '../grpc/invoker.js'
import type { Descriptors } from '../grpc/methods/descriptors.js'
import type { ReplyForm } from '../grpc/methods/lossless-json.js'
import type { Method } from '../grpc/methods/method.js'
import type { RunPlan } from './caller.js'
import { contentOf, fetchTypes, type Texts } from './content.js'
import { type LiveInput, liveMessages, wholeText } from './live-input.js'

/** The calls to make. */
export interface Order extends Pick<RunPlan, 'load' | 'warmup' | 'deadlineMs'> {
  /** A bare name, or package.Service/Method. */
  readonly method: string
  readonly texts: Texts
  /** How replies are written as JSON. */
  readonly form: ReplyForm
  /** Data that arrive during a single call; `texts.data` is then empty. Null if `texts` has all data. */
  readonly live: LiveInput | null
  /** Whether the report shows the run over time. Default: false. */
  readonly keepsSeries?: boolean
}

/** The called method and what each call sends. */
export interface PreparedCall {
  readonly descriptors: Descriptors
  readonly method: Method
  readonly content: (number: number) => CallContent
  readonly deadlineMs: number
  /** Whether messages are sent as they arrive, so that the call may not end by itself. */
  readonly isLive: boolean
}

/**
 * Finds the method and encodes the data. Live data for a method that takes a single message are read to their end.
 *
 * @throws DiscoError NOT_FOUND for an unknown method, USAGE for data that are not messages of it, INTERRUPTED
 */
export async function prepare(
  descriptors: Descriptors,
  order: Order,
  stop: AbortSignal,
): Promise<PreparedCall> {
  const { texts, load, live, deadlineMs } = order
  const method = descriptors.method(order.method, order.form)
  const takesStream = method.kind === 'client_streaming' || method.kind === 'bidi_streaming'
  if (live && takesStream) {
    const messages = liveMessages(method, live)
    const content = contentOf(method, texts, load.calls)
    return {
      descriptors,
      method,
      deadlineMs: live.deadlineMs,
      isLive: true,
      content: (number) => ({ ...content(number), live: messages }),
    }
  }
  const read = live ? { ...texts, data: await wholeText(live, stop) } : texts
  await fetchTypes(method, read)
  return { descriptors, method, deadlineMs, isLive: false, content: contentOf(method, read, load.calls) }
}
