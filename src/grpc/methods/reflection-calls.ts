import { fromJson, toBinary } from '@bufbuild/protobuf'
import { type Client, type Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { DiscoError } from '../../domain/errors.js'
import { type Headers, metadataOf } from '../protocol.js'
import {
  type ReflectionMessages,
  type ReflectionRequest,
  type ReflectionResponse,
  readResponse,
} from './reflection-protocol.js'

/** Maximum number of pending requests per stream. The server responds in order, so the requests share round trips. */
const MAX_QUESTIONS = 32
/** Maximum number of parallel streams, for servers that respond only once per stream. */
const MAX_STREAMS = 8

/** A request without a response so far. */
interface Pending {
  readonly question: ReflectionRequest
  readonly answer: (answer: ReflectionResponse) => void
  readonly fail: (error: unknown) => void
}

/**
 * Sends server reflection requests. One stream carries several requests at a time, so that all responses come from the
 * same server. If the server ends the stream early, the remaining requests are sent again, each over its own stream.
 */
export class ReflectionCalls implements Disposable {
  private readonly waiting: Pending[] = []
  private readonly streams = new Set<Stream>()
  private readonly metadata: Metadata
  /** The deadline, on the clock of `performance.now()`. */
  private readonly endMs: number
  /** Whether a stream has ended before the server had responded to all of its requests. */
  private endsEarly = false
  private isClosed = false
  private lastPeer = ''

  /** @param deadlineMs time limit for all requests together */
  constructor(
    private readonly client: Client,
    private readonly messages: ReflectionMessages,
    deadlineMs: number,
    headers: Headers,
  ) {
    this.metadata = metadataOf(headers)
    this.endMs = performance.now() + deadlineMs
  }

  /**
   * Sends one request. The response lacks the requested file if the server does not have it.
   *
   * @throws grpc-js's StatusObject for a failed call; DiscoError RPC_FAILED for a stream that ends without a response
   */
  readonly ask = (question: ReflectionRequest): Promise<ReflectionResponse> =>
    new Promise((answer, fail) => {
      this.waiting.push({ question, answer, fail })
      this.send()
    })

  /** Address of the server of the current stream, or of the last stream. */
  get peer(): string {
    const [stream] = this.streams
    return stream?.peer ?? this.lastPeer
  }

  [Symbol.dispose](): void {
    this.isClosed = true
    for (const stream of this.streams) stream.cancel()
  }

  private send(): void {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      const stream = this.streamWithRoom()
      if (!stream) return
      this.waiting.shift()
      stream.ask(next, this.endsEarly)
    }
  }

  private streamWithRoom(): Stream | null {
    if (this.endsEarly) return this.streams.size < MAX_STREAMS ? this.open() : null
    const [stream] = this.streams.size > 0 ? this.streams : [this.open()]
    return stream && stream.pending.length < MAX_QUESTIONS ? stream : null
  }

  private open(): Stream {
    const stream = new Stream(this.client, this.messages, this.metadata, this.endMs, (ended) =>
      this.onEnd(stream, ended),
    )
    stream.onAnswer = () => this.send()
    this.streams.add(stream)
    return stream
  }

  private onEnd(stream: Stream, ended: StatusObject): void {
    this.streams.delete(stream)
    this.lastPeer = stream.peer
    const { pending, answers } = stream
    const isLate = this.isClosed || ended.code === status.DEADLINE_EXCEEDED
    if (pending.length > 0 && answers > 0 && !isLate) {
      this.endsEarly = true
      this.waiting.unshift(...pending)
    } else {
      const { path } = this.messages
      const error =
        ended.code === status.OK ? new DiscoError('RPC_FAILED', `${path} ended without an answer`) : ended
      for (const { fail } of pending) fail(error)
      // A stream without any response would fail again, so the waiting requests fail, too.
      if (answers === 0) for (const { fail } of this.waiting.splice(0)) fail(error)
    }
    this.send()
  }
}

/** One stream of reflection requests. */
class Stream {
  /** The requests without a response, in the order in which they were sent. */
  readonly pending: Pending[] = []
  /** The number of responses. */
  answers = 0
  onAnswer = (): void => undefined
  private readonly call

  constructor(
    client: Client,
    messages: ReflectionMessages,
    metadata: Metadata,
    endMs: number,
    onEnd: (ended: StatusObject) => void,
  ) {
    const leftMs = endMs - performance.now()
    this.call = client.makeBidiStreamRequest<ReflectionRequest, ReflectionResponse>(
      messages.path,
      (question) => Buffer.from(toBinary(messages.request, fromJson(messages.request, question as never))),
      (bytes) => readResponse(bytes, messages),
      metadata.clone(),
      { deadline: Date.now() + leftMs },
    )
    this.call.on('data', (answer: ReflectionResponse) => {
      this.answers++
      this.pending.shift()?.answer(answer)
      this.onAnswer()
    })
    // Required, because an `error` event without a listener throws. The status event has the same information.
    this.call.on('error', () => undefined)
    this.call.on('status', onEnd)
  }

  get peer(): string {
    return this.call.getPeer()
  }

  ask(pending: Pending, isLast: boolean): void {
    this.pending.push(pending)
    this.call.write(pending.question)
    if (isLast) this.call.end()
  }

  cancel(): void {
    this.call.end()
    this.call.cancel()
  }
}
