import {
  type Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type MetadataValue,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js'
import type { Method } from './method.js'
import { markCall } from './observer.js'
import { setHashKey } from './picker.js'

/** What one call sends along. */
export interface CallRequest {
  /** By which the channel's observer knows the call. */
  readonly callId: number
  /** One for each message of the request; exactly one where the method streams none. */
  readonly messages: readonly Uint8Array[]
  /** Names may repeat; those that end in `-bin` hold base64. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly hashKey: string | null
  readonly deadlineMs: number
  /** Whether the outcome shall have the reply's headers. */
  readonly wantsHeaders: boolean
  /** Whether the outcome shall have every reply of a stream, or only the last. */
  readonly keepsReplies: boolean
  /** Told each reply as it comes. */
  readonly onReply?: ((bytes: Uint8Array) => void) | undefined
}

/** Header or trailer names with their values; those that end in `-bin` in base64. */
export type Pairs = Readonly<Record<string, readonly string[]>>

/** How a call ended. */
export interface Outcome {
  readonly status: string
  readonly statusCode: number
  readonly details: string
  /** The address that the call went to, as the connection has it. */
  readonly peer: string
  /** How many messages came back. */
  readonly replyCount: number
  readonly replies: readonly Uint8Array[]
  readonly headers: Metadata | null
  readonly trailers: Metadata
}

type Call = Pick<ClientUnaryCall, 'cancel' | 'getPeer'> & NodeJS.EventEmitter
type Sender = ClientWritableStream<Uint8Array> | ClientDuplexStream<Uint8Array, Uint8Array>
type Finish = (error: ServiceError | null, bytes?: Uint8Array) => void

const same = (bytes: Uint8Array): Buffer => bytes as Buffer

/** Makes calls of one method, of any of the four kinds, and can end those under way. */
export class Invoker {
  private readonly underWay = new Set<Call>()

  constructor(
    private readonly client: Client,
    readonly method: Method,
  ) {}

  /** Makes one call, and tells once how it ended, never before it returns: a failure is an outcome, too. */
  invoke(request: CallRequest, done: (outcome: Outcome) => void): void {
    let replyCount = 0
    let replies: Uint8Array[] = []
    let headers: Metadata | null = null
    let error: ServiceError | null = null
    const take = (bytes: Uint8Array) => {
      replyCount++
      if (request.keepsReplies) replies.push(bytes)
      else replies = [bytes]
      request.onReply?.(bytes)
    }
    const finish = (failure: ServiceError | null, bytes?: Uint8Array) => {
      error = failure
      if (!failure && bytes) take(bytes)
    }
    const call = this.start(request, take, finish)
    this.underWay.add(call)
    if (request.wantsHeaders) {
      call.on('metadata', (received: Metadata) => {
        headers = received
      })
    }
    // It is the last that is heard of any call, after its callback and its error.
    call.on('status', (ended: StatusObject) => {
      this.underWay.delete(call)
      const statusCode = error?.code ?? ended.code
      const details = statusCode === status.OK ? '' : (error ?? ended).details
      const statusName = status[statusCode] ?? String(statusCode)
      const trailers = ended.metadata
      const peer = call.getPeer()
      done({ status: statusName, statusCode, details, peer, replyCount, replies, headers, trailers })
    })
  }

  /** Ends every call under way with CANCELLED. */
  cancelAll(): void {
    for (const call of this.underWay) call.cancel()
  }

  private start(request: CallRequest, take: (bytes: Uint8Array) => void, finish: Finish): Call {
    const { client } = this
    const { path, kind } = this.method
    const options = { deadline: Date.now() + request.deadlineMs }
    const metadata = metadataOf(request)
    if (kind === 'unary') {
      // grpc-js keeps a stack for each call, to blame its caller in an error: here that is always this line.
      const { stackTraceLimit } = Error
      Error.stackTraceLimit = 0
      const call = client.makeUnaryRequest(path, same, same, only(request), metadata, options, finish)
      Error.stackTraceLimit = stackTraceLimit
      return call
    }
    if (kind === 'client_streaming') {
      return send(client.makeClientStreamRequest(path, same, same, metadata, options, finish), request)
    }
    const call =
      kind === 'server_streaming'
        ? client.makeServerStreamRequest(path, same, same, only(request), metadata, options)
        : send(client.makeBidiStreamRequest(path, same, same, metadata, options), request)
    call.on('data', take)
    // What an error says stands in the status too, which comes with and without one.
    call.on('error', () => undefined)
    return call
  }
}

/** Writes all messages, waiting where the connection does, and ends the request. */
function send<Stream extends Sender>(stream: Stream, { messages }: CallRequest): Stream {
  const rest = messages.values()
  const write = () => {
    for (const message of rest) {
      if (!stream.write(message)) {
        stream.once('drain', write)
        return
      }
    }
    stream.end()
  }
  write()
  return stream
}

function only({ messages: [message = NOTHING] }: CallRequest): Uint8Array {
  return message
}

const NOTHING = new Uint8Array()

function metadataOf({ callId, headers, hashKey }: CallRequest): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of headers) metadata.add(name, headerValue(name, value))
  if (hashKey !== null) setHashKey(metadata, hashKey)
  return markCall(metadata, callId)
}

function headerValue(name: string, value: string): MetadataValue {
  return name.endsWith('-bin') ? Buffer.from(value, 'base64') : value
}

/** Metadata as data. */
export function pairsOf(metadata: Metadata | null): Pairs {
  const pairs: Record<string, string[]> = {}
  for (const name of Object.keys(metadata?.getMap() ?? {})) {
    pairs[name] = (metadata?.get(name) ?? []).map((value) =>
      typeof value === 'string' ? value : value.toString('base64'),
    )
  }
  return pairs
}
