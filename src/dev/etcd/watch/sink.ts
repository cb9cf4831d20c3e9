import { MAX_RECEIVE_BYTES } from '../transport/frames.js'
import type { ServerStream } from '../transport/service.js'
import type { Headers } from '../wire/responses.js'
import { PREFIX_BYTES, Writer } from '../wire/writer.js'
import type { EncodedEvents } from './event-batch.js'
import type { Sink, Watcher } from './watcher.js'

/** WatchResponse.fragment (field 7), set. */
const FRAGMENT = new Writer().boolean(7, true).body()

const INITIAL_BYTES = 4096

/**
 * Up to this many bytes, a copy of the buffer's content is sent and the buffer is kept. If there are more, the buffer
 * itself is sent and replaced by a small one, so that a burst does not leave a large buffer.
 */
const KEEP_BYTES = 256 * 1024

/**
 * The sending half of one watch stream. Responses are collected in one buffer and sent as one write when the event loop
 * has handled all pending input. A put that 200 watchers of a stream receive, or 64 puts that arrived in one packet,
 * cost one write.
 */
export class WatchSink implements Sink {
  private buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  private length = 0
  private scheduled = false
  private header: { revision: number; field: Buffer } | undefined

  constructor(
    private readonly stream: ServerStream,
    private readonly headers: Headers,
  ) {}

  get congested(): boolean {
    return this.stream.congested || this.length > MAX_RECEIVE_BYTES
  }

  control(frame: Buffer): void {
    this.reserve(frame.length)
    this.copy(frame)
    this.schedule()
  }

  events(watcher: Watcher, revision: number, { bytes, each }: EncodedEvents): void {
    const envelope = this.headerField(revision).length + watcher.idField.length
    if (!watcher.fragment || each.length < 2 || envelope + bytes.length < MAX_RECEIVE_BYTES) {
      this.response(watcher, revision, [bytes], bytes.length)
      return
    }
    let part: Buffer[] = []
    let size = 0
    for (const event of each) {
      const full = envelope + FRAGMENT.length + size + event.length >= MAX_RECEIVE_BYTES
      if (part.length > 0 && full) {
        this.response(watcher, revision, [FRAGMENT, ...part], FRAGMENT.length + size)
        part = []
        size = 0
      }
      part.push(event)
      size += event.length
    }
    this.response(watcher, revision, part, size)
  }

  private response(watcher: Watcher, revision: number, fields: readonly Buffer[], size: number): void {
    const header = this.headerField(revision)
    const length = header.length + watcher.idField.length + size
    this.reserve(PREFIX_BYTES + length)
    this.buffer[this.length] = 0
    this.buffer.writeUInt32BE(length, this.length + 1)
    this.length += PREFIX_BYTES
    this.copy(header)
    this.copy(watcher.idField)
    for (const field of fields) this.copy(field)
    this.schedule()
  }

  private copy(bytes: Buffer): void {
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  /** The response header as field 1. It is cached, because all responses of a revision have the same header. */
  private headerField(revision: number): Buffer {
    if (this.header?.revision !== revision) {
      this.header = { revision, field: this.headers.response(revision).body() }
    }
    return this.header.field
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.length + bytes, 2 * this.buffer.length))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => this.flush())
  }

  private flush(): void {
    this.scheduled = false
    // The stream may keep the bytes, so they must not be overwritten. It gets a copy of them, or the buffer itself, which
    // is then replaced by a new one.
    const whole = this.length > KEEP_BYTES
    const frames = whole
      ? this.buffer.subarray(0, this.length)
      : Buffer.from(this.buffer.subarray(0, this.length))
    if (whole) this.buffer = Buffer.allocUnsafe(INITIAL_BYTES)
    this.length = 0
    this.stream.send(frames)
  }
}
