import { DiscoError } from '../domain/errors.js'
import type { Method } from '../grpc/methods/method.js'
import { templateValues } from './content.js'
import { MessageSplitter } from './message-splitter.js'
import { parseJson } from './messages.js'
import { Template } from './template.js'

/** Request data that arrive while a single call is outstanding, such as typed lines. */
export interface LiveInput {
  /** The name of the input in messages. */
  readonly name: string
  /** The text, in pieces, to its end. Read once. */
  readonly pieces: AsyncIterable<string>
  /** Deadline of a call that sends messages as they arrive. */
  readonly deadlineMs: number
  /** Called before the first piece is awaited. @param isStream whether the method takes any number of messages */
  readonly onStart: (isStream: boolean) => void
  /** Called for a message that cannot be encoded, which is then left out. Null to fail the call instead. */
  readonly onRejected: ((error: DiscoError) => void) | null
}

/**
 * Yields each message as soon as it is complete.
 *
 * @throws DiscoError USAGE for one that is not a message of the method, unless the input has `onRejected`
 */
export async function* liveMessages(
  method: Method,
  { name, pieces, onStart, onRejected }: LiveInput,
): AsyncGenerator<Uint8Array> {
  let number = 0
  const encode = async (text: string): Promise<Uint8Array | null> => {
    const what = `Message ${++number} of ${name}`
    try {
      const json = parseJson(Template.parse(text, what).fill(templateValues(1)), what)
      await method.fetchTypesIn(json)
      return method.encode(json)
    } catch (error) {
      if (!onRejected) throw error
      onRejected(DiscoError.from(error))
      return null
    }
  }
  onStart(true)
  const splitter = new MessageSplitter()
  for await (const piece of pieces) {
    for (const text of splitter.push(piece)) {
      const message = await encode(text)
      if (message) yield message
    }
  }
  const rest = splitter.end()
  const message = rest === '' ? null : await encode(rest)
  if (message) yield message
}

/** Reads the input to its end, for a method that takes a single message. @throws DiscoError INTERRUPTED */
export async function wholeText({ pieces, onStart }: LiveInput, signal: AbortSignal): Promise<string> {
  onStart(false)
  let text = ''
  for await (const piece of pieces) text += piece
  if (signal.aborted) throw new DiscoError('INTERRUPTED', 'Interrupted while the data were read')
  return text
}
