import { once } from 'node:events'
import { Readable } from 'node:stream'
import {
  type Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type Metadata,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js'
import { isAboveLimit } from '../net/grpc-js-texts.js'
import { setHashKey } from './balancer/picker.js'
import type { Method } from './methods/method.js'
import {
  channelLimit,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Headers,
  metadataOf,
  oversized,
  withRemedy,
} from './protocol.js'
import { markCall } from './resolver/observer.js'

/** The content of one call. */
export interface CallContent {
  /** The request messages; exactly one if the method does not stream them. */
  readonly messages: readonly Uint8Array[]
  /** Messages to send after `messages`, as they arrive, if the method streams its request. Never throws. */
  readonly live?: AsyncIterable<Uint8Array> | undefined
  readonly headers: Headers
  readonly hashKey: string | null
}

/** The consumer of the replies, such as a program that reads stdout through a pipe. Unread replies stay in memory. */
export interface Reader {
  /** Whether replies are unread. */
  readonly isBehind: boolean
  /** Resolves when the reader has caught up, or will never read again. Never rejects. */
  drained(): Promise<void>
}

/** Settings of calls. */
export interface CallSettings {
  readonly deadlineMs: number
  /** Maximum size of a reply: a larger reply fails the call with RESOURCE_EXHAUSTED. Default: 4 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Whether the outcome must include the reply's headers. */
  readonly wantsHeaders: boolean
  /** Whether the outcome must include all replies of a stream, or only the last. */
  readonly keepsReplies: boolean
  /** Called with each reply as it arrives. */
  readonly onReply?: ((bytes: Uint8Array) => void) | undefined
  /** The consumer of what `onReply` writes. While it is behind, no further replies of a stream are received. */
  readonly reader?: Reader | undefined
}

/** The values of each header or trailer, by name. The values of names that end in `-bin` are base64. */
export type Pairs = Readonly<Record<string, readonly string[]>>

/** The result of a call. */
export interface Outcome {
  /** The name of the status code, such as UNAVAILABLE; the number for an unknown code. */
  readonly status: string
  readonly statusCode: number
  /** The status message; empty for OK. */
  readonly details: string
  /** The remote address of the call's connection. */
  readonly peer: string
  /** The number of reply messages. */
  readonly replyCount: number
  /** All replies with `keepsReplies`, otherwise the last one. */
  readonly replies: readonly Uint8Array[]
  /** Null without `wantsHeaders`, or if the server sent no headers. */
  readonly headers: Metadata | null
  readonly trailers: Metadata
}

type Call = Pick<ClientUnaryCall, 'cancel' | 'getPeer'> & NodeJS.EventEmitter
type Sender = ClientWritableStream<Uint8Array> | ClientDuplexStream<Uint8Array, Uint8Array>

/** Serializes and deserializes messages, which are bytes already. */
const unchanged = (bytes: Uint8Array): Buffer => bytes as Buffer

/** Makes calls of one method, unary or streaming, and can cancel outstanding calls. */
export class Invoker {
  private readonly outstanding = new Set<Call>()

  constructor(
    private readonly client: Client,
    readonly method: Method,
  ) {}

  /**
   * Makes one call.
   *
   * @param callId identifies the call to the channel's observer
   * @param done called once, after this method has returned, also if the call has failed
   */
  invoke(
    callId: number,
    content: CallContent,
    settings: CallSettings,
    done: (outcome: Outcome) => void,
  ): void {
    const replies = new Replies(settings)
    const call = this.start(callId, content, settings, replies)
    this.outstanding.add(call)
    if (settings.wantsHeaders) {
      call.on('metadata', (received: Metadata) => {
        replies.headers = received
      })
    }
    // The last event of a call: it follows the callback of the call and its `error` event.
    call.on('status', (ended: StatusObject) => {
      const finish = () => {
        this.outstanding.delete(call)
        done(replies.outcome(ended, call.getPeer()))
      }
      // While the stream is paused because the reader is behind, replies may follow the status.
      if (call instanceof Readable && call.isPaused()) call.once('end', finish)
      else finish()
    })
  }

  /** Cancels all outstanding calls. */
  cancelAll(): void {
    for (const call of this.outstanding) call.cancel()
  }

  private start(callId: number, content: CallContent, settings: CallSettings, replies: Replies): Call {
    const { deadlineMs, reader } = settings
    const { client } = this
    const { path, kind } = this.method
    const options = { deadline: Date.now() + deadlineMs }
    const metadata = metadataFor(callId, content)
    const { messages, live } = content
    if (kind === 'unary') {
      // grpc-js records a stack trace for each call, so that an error shows the caller. Here every call has the same
      // caller, so the trace is omitted to save time.
      const { stackTraceLimit } = Error
      Error.stackTraceLimit = 0
      try {
        const finish = replies.finish.bind(replies)
        const request = firstOrEmpty(messages)
        return client.makeUnaryRequest(path, unchanged, unchanged, request, metadata, options, finish)
      } finally {
        Error.stackTraceLimit = stackTraceLimit
      }
    }
    if (kind === 'client_streaming') {
      const finish = replies.finish.bind(replies)
      const stream = client.makeClientStreamRequest(path, unchanged, unchanged, metadata, options, finish)
      return send(stream, messages, live)
    }
    const call =
      kind === 'server_streaming'
        ? client.makeServerStreamRequest(
            path,
            unchanged,
            unchanged,
            firstOrEmpty(messages),
            metadata,
            options,
          )
        : send(client.makeBidiStreamRequest(path, unchanged, unchanged, metadata, options), messages, live)
    call.on('data', (bytes: Uint8Array) => {
      replies.add(bytes)
      if (replies.isOversized) {
        call.cancel()
        return
      }
      if (!settings.onReply || !reader?.isBehind) return
      call.pause()
      void reader.drained().then(() => call.resume())
    })
    // Required, because an `error` event without a listener throws. The status event has the same information.
    call.on('error', () => undefined)
    return call
  }
}

/** The replies and headers of one call. */
class Replies {
  headers: Metadata | null = null
  private count = 0
  private kept: Uint8Array[] = []
  private error: ServiceError | null = null
  private readonly maxBytes: number
  /** The size of the reply that is larger than `maxBytes`; 0 if all replies so far are within it. */
  private oversizedBytes = 0

  constructor(private readonly settings: CallSettings) {
    this.maxBytes = settings.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES
  }

  get isOversized(): boolean {
    return this.oversizedBytes > 0
  }

  add(bytes: Uint8Array): void {
    if (this.isOversized) return
    if (bytes.length > this.maxBytes) {
      this.oversizedBytes = bytes.length
      return
    }
    this.count++
    if (this.settings.keepsReplies) this.kept.push(bytes)
    else this.kept = [bytes]
    this.settings.onReply?.(bytes)
  }

  finish(error: ServiceError | null, bytes?: Uint8Array): void {
    this.error = error
    if (!error && bytes) this.add(bytes)
  }

  outcome(ended: StatusObject, peer: string): Outcome {
    const statusCode = this.isOversized ? status.RESOURCE_EXHAUSTED : (this.error?.code ?? ended.code)
    return {
      status: status[statusCode] ?? String(statusCode),
      statusCode,
      details: statusCode === status.OK ? '' : this.detailsOf(this.error ?? ended),
      peer,
      replyCount: this.count,
      replies: this.kept,
      headers: this.headers,
      trailers: ended.metadata,
    }
  }

  private detailsOf({ details }: StatusObject | ServiceError): string {
    if (this.isOversized) return oversized(this.oversizedBytes, this.maxBytes)
    return isAboveLimit(details, channelLimit(this.maxBytes)) ? withRemedy(details) : details
  }
}

/** Writes `messages`, then `live` as its messages arrive, both with backpressure, and ends the request. */
function send<Stream extends Sender>(
  stream: Stream,
  messages: readonly Uint8Array[],
  live?: AsyncIterable<Uint8Array>,
): Stream {
  const rest = messages.values()
  const write = () => {
    for (const message of rest) {
      if (!stream.write(message)) {
        stream.once('drain', write)
        return
      }
    }
    if (live) void sendLive(stream, live)
    else stream.end()
  }
  write()
  return stream
}

/** Writes messages as they arrive, until the call ends. */
async function sendLive(stream: Sender, messages: AsyncIterable<Uint8Array>): Promise<void> {
  const ended = new AbortController()
  stream.once('status', () => ended.abort())
  for await (const message of messages) {
    if (ended.signal.aborted) return
    if (stream.write(message)) continue
    // Rejects when the call ends, after which nothing can be written.
    await once(stream, 'drain', { signal: ended.signal }).catch(() => undefined)
  }
  if (!ended.signal.aborted) stream.end()
}

function firstOrEmpty([message = EMPTY_MESSAGE]: readonly Uint8Array[]): Uint8Array {
  return message
}

const EMPTY_MESSAGE = new Uint8Array()

function metadataFor(callId: number, { headers, hashKey }: CallContent): Metadata {
  const metadata = metadataOf(headers)
  if (hashKey !== null) setHashKey(metadata, hashKey)
  return markCall(metadata, callId)
}

/** Converts metadata to JSON-compatible data; empty for null. */
export function pairsOf(metadata: Metadata | null): Pairs {
  const pairs: Record<string, string[]> = {}
  for (const name of Object.keys(metadata?.getMap() ?? {})) {
    pairs[name] = (metadata?.get(name) ?? []).map((value) =>
      typeof value === 'string' ? value : value.toString('base64'),
    )
  }
  return pairs
}
