import type { CallContent } from '../grpc/invoker.js'
import type { Descriptors } from '../grpc/methods/descriptors.js'
import type { ReplyForm } from '../grpc/methods/lossless-json.js'
import type { Method } from '../grpc/methods/method.js'
import type { RunPlan } from './caller.js'
import { contentOf, learnTypes, type Texts } from './content.js'
import { type LiveInput, liveMessages, wholeText } from './live-input.js'

/** The calls to make. */
export interface Order extends Pick<RunPlan, 'load' | 'warmup' | 'deadlineMs'> {
  /** A bare name, or package.Service/Method. */
  readonly method: string
  readonly texts: Texts
  /** How replies are written as JSON. */
  readonly form: ReplyForm
  /** Data of a single call that come later: those of `texts` are empty then. Null for none. */
  readonly live: LiveInput | null
  /** Whether the course of the calls is recorded, for a report over time. */
  readonly keepsSeries?: boolean
}

/** The called method and what each call sends. */
export interface Prepared {
  readonly descriptors: Descriptors
  readonly method: Method
  readonly content: (number: number) => CallContent
  readonly deadlineMs: number
  /** Messages are sent as they arrive: the call ends when a person or a program ends it. */
  readonly isLive: boolean
}

/**
 * Finds the method and encodes the data. Data that come later are awaited here if the method takes one message.
 *
 * @throws DiscoError NOT_FOUND for an unknown method, USAGE for data that are not messages of it, INTERRUPTED
 */
export async function prepare(descriptors: Descriptors, order: Order, stop: AbortSignal): Promise<Prepared> {
  const { texts, load, live, deadlineMs } = order
  const method = descriptors.method(order.method, order.form)
  const takesStream = method.kind === 'client_streaming' || method.kind === 'bidi_streaming'
  if (live && takesStream) {
    const once = liveMessages(method, live)
    const content = contentOf(method, texts, load.calls)
    return {
      descriptors,
      method,
      deadlineMs: live.deadlineMs,
      isLive: true,
      content: (number) => ({ ...content(number), live: once }),
    }
  }
  const read = live ? { ...texts, data: await wholeText(live, stop) } : texts
  await learnTypes(method, read)
  return { descriptors, method, deadlineMs, isLive: false, content: contentOf(method, read, load.calls) }
}
