import { randomUUID } from 'node:crypto'
import { DiscoError } from '../domain/errors.js'
import type { CallContent } from '../grpc/invoker.js'
import type { Method } from '../grpc/methods/method.js'
import type { Headers } from '../grpc/protocol.js'
import { type CallKeys, NO_KEYS } from '../policies/index.js'
import { parseJson, splitMessages } from './messages.js'
import { Template, type TemplateValues } from './template.js'

/** The content of calls, as the user writes it; all of it may contain placeholders. */
export interface Texts {
  /** JSON messages. */
  readonly data: string
  readonly headers: Headers
  readonly hashKey: string | null
}

/** Where an unknown placeholder is, in errors. */
const DATA = 'the data'
const HASH_KEY = 'the hash key'

/**
 * Returns a function from the number of a call to its content. Each call of a method that streams its request sends all
 * messages; each call of any other method sends one of them, in turn. Content without placeholders is encoded once.
 *
 * @param calls the number of calls
 * @throws DiscoError USAGE for data that are not messages of the method, or for more messages than calls
 */
export function contentOf(method: Method, texts: Texts, calls: number): (number: number) => CallContent {
  const data = Template.parse(texts.data, DATA)
  const headers = texts.headers.map(([name, value]) => [name, headerTemplate(name, value)] as const)
  const hashKey = texts.hashKey === null ? null : Template.parse(texts.hashKey, HASH_KEY)
  const headersAreConstant = headers.every(([, value]) => value.isConstant)
  const sample = messagesOf(method, data.fill(templateValues(1)))
  requireEnoughCalls(method, sample.length, calls)
  const streams = method.kind === 'client_streaming' || method.kind === 'bidi_streaming'
  const make = (messages: readonly Uint8Array[], values: TemplateValues): CallContent => ({
    messages,
    headers: headers.map(([name, value]) => [name, value.fill(values)] as const),
    hashKey: hashKey?.fill(values) ?? null,
  })
  /** The requests that calls send in turn. A request is a list of messages. */
  const requestsOf = (messages: readonly Uint8Array[]) =>
    streams ? [messages] : messages.map((message) => [message])
  const constant = requestsOf(sample)
  if (data.isConstant && headersAreConstant && (hashKey?.isConstant ?? true)) {
    const contents = constant.map((messages) => make(messages, templateValues(1)))
    return (number) => inTurn(contents, number)
  }
  return (number) => {
    const values = templateValues(number)
    const requests = data.isConstant ? constant : requestsOf(messagesOf(method, data.fill(values)))
    return make(inTurn(requests, number), values)
  }
}

/** Fetches descriptions of types in the first call's data that are not described yet, by reflection. */
export async function fetchTypes(method: Method, { data }: Pick<Texts, 'data'>): Promise<void> {
  for (const json of splitMessages(Template.parse(data, DATA).fill(templateValues(1)))) {
    await method.fetchTypesIn(parseJson(json))
  }
}

/** Headers of the first call, for requests before it. @throws DiscoError USAGE for an unknown placeholder */
export function firstHeaders({ headers }: Pick<Texts, 'headers'>): Headers {
  return headers.map(([name, value]) => [name, headerTemplate(name, value).fill(templateValues(1))] as const)
}

/** Checks the data before the method is known. @throws DiscoError USAGE for data that are not JSON */
export function requireJson({ data }: Pick<Texts, 'data'>): void {
  splitMessages(Template.parse(data, DATA).fill(templateValues(1)))
}

/**
 * The keys by which a policy chooses the endpoint of a single call. Null if the hash key has placeholders, which are
 * filled for each call.
 */
export function singleCallKeys({ hashKey }: Pick<Texts, 'hashKey'>): CallKeys | null {
  if (hashKey === null) return NO_KEYS
  const template = Template.parse(hashKey, HASH_KEY)
  return template.isConstant ? { hashKey: template.fill(templateValues(1)), pin: null } : null
}

function headerTemplate(name: string, value: string): Template {
  return Template.parse(value, `the header ${name}`)
}

/** @param number the call's number, from 1 on */
function inTurn<Item>(items: readonly Item[], number: number): Item {
  // At least one: see requireEnoughCalls.
  return items[(number - 1) % items.length] as Item
}

function messagesOf(method: Method, text: string): readonly Uint8Array[] {
  return splitMessages(text).map((json) => method.encode(parseJson(json)))
}

function requireEnoughCalls({ kind, name }: Method, messages: number, calls: number): void {
  if (kind === 'client_streaming' || kind === 'bidi_streaming') return
  if (messages === 0)
    throw new DiscoError('USAGE', 'The data has no message', {
      suggestions: ["For an empty message: -d '{}'"],
    })
  if (messages <= calls) return
  throw new DiscoError('USAGE', `${name} takes one message a call, and ${messages} were given`, {
    suggestions: [`One call for each: --n ${messages}`],
  })
}

/** Placeholders of a call. @param n the call's number, from 1 on */
export function templateValues(n: number): TemplateValues {
  return { n, uuid: randomUUID, now: () => new Date().toISOString() }
}
