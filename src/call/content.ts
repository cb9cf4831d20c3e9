import { randomUUID } from 'node:crypto'
import { DiscoError } from '../domain/errors.js'
import type { Method } from '../grpc/method.js'
import { parseJson, splitMessages } from './messages.js'
import type { CallContent } from './plan.js'
import { type Filling, Template } from './template.js'

/** What calls send, as a person writes it; all of it may have placeholders. */
export interface Texts {
  /** JSON messages. */
  readonly data: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly hashKey: string | null
}

/**
 * Each call's content. A method that streams its request gets all messages with every call; any other gets
 * one, by turns. What has no placeholders is encoded once.
 *
 * @param calls how many will be made
 * @throws DiscoError USAGE for data that are no messages of the method, or more of them than calls to take them
 */
export function contentOf(method: Method, texts: Texts, calls: number): (number: number) => CallContent {
  const data = Template.parse(texts.data)
  const headers = texts.headers.map(([name, value]) => [name, Template.parse(value)] as const)
  const hashKey = texts.hashKey === null ? null : Template.parse(texts.hashKey)
  const constantHeaders = headers.every(([, value]) => value.isConstant)
  const sample = messagesOf(method, data.fill(fillingFor(1)))
  requireTakers(method, sample.length, calls)
  const streams = method.kind === 'client_streaming' || method.kind === 'bidi_streaming'
  const choices = streams ? [sample] : sample.map((message) => [message])
  const filledHeaders = headers.map(([name, value]) => [name, value.fill(fillingFor(1))] as const)
  return (number) => {
    const filling = fillingFor(number)
    const messages = data.isConstant
      ? choices[(number - 1) % choices.length]
      : chosen(messagesOf(method, data.fill(filling)), streams, number)
    return {
      messages: messages ?? [],
      headers: constantHeaders
        ? filledHeaders
        : headers.map(([name, value]) => [name, value.fill(filling)] as const),
      hashKey: hashKey?.fill(filling) ?? null,
    }
  }
}

function chosen(messages: readonly Uint8Array[], streams: boolean, number: number): readonly Uint8Array[] {
  if (streams) return messages
  return messages.slice((number - 1) % messages.length).slice(0, 1)
}

function messagesOf(method: Method, text: string): readonly Uint8Array[] {
  return splitMessages(text).map((json) => method.encode(parseJson(json)))
}

function requireTakers({ kind, name }: Method, messages: number, calls: number): void {
  if (kind === 'client_streaming' || kind === 'bidi_streaming') return
  if (messages === 0)
    throw new DiscoError('USAGE', 'The data has no message', { suggestions: ["Empty: -d '{}'"] })
  if (messages <= calls) return
  throw new DiscoError('USAGE', `${name} takes one message a call, and ${messages} were given`, {
    suggestions: [`One call for each: --n ${messages}`],
  })
}

function fillingFor(n: number): Filling {
  return { n, uuid: randomUUID, now: () => new Date().toISOString() }
}
