import type { ClientHttp2Stream, ServerHttp2Stream } from 'node:http2'

/** Maximum number of bytes that are kept for replay, over all calls. */
const MAX_KEPT_BYTES = 64 * 2 ** 20

/** Maximum number of these bytes for one connection of a caller, so that one caller cannot use all. */
export const MAX_KEPT_OF_CALLER = 8 * 2 ** 20

/** Memory of a kept chunk besides its bytes: the objects of its buffer. */
const CHUNK_BYTES = 256

/** Counts the memory of requests that are kept for replay. */
export class ReplayMemory {
  private free = MAX_KEPT_BYTES
  private readonly ofCallers = new WeakMap<object, CallerMemory>()

  /** @param bytesPerCall maximum size of a request that is kept */
  constructor(readonly bytesPerCall: number) {}

  /** @param caller the connection of the caller */
  of(caller: object): CallerMemory {
    const known = this.ofCallers.get(caller)
    if (known) return known
    const memory = new CallerMemory(this)
    this.ofCallers.set(caller, memory)
    return memory
  }

  /** Reserves memory. @returns whether there was enough */
  take(bytes: number): boolean {
    if (bytes > this.free) return false
    this.free -= bytes
    return true
  }

  give(bytes: number): void {
    this.free += bytes
  }
}

/** The part of the memory for one connection of a caller. */
export class CallerMemory {
  private free = MAX_KEPT_OF_CALLER

  constructor(private readonly all: ReplayMemory) {}

  get bytesPerCall(): number {
    return this.all.bytesPerCall
  }

  take(bytes: number): boolean {
    if (bytes > this.free || !this.all.take(bytes)) return false
    this.free -= bytes
    return true
  }

  give(bytes: number): void {
    this.free += bytes
    this.all.give(bytes)
  }
}

/** The bytes of a request: passed on as they arrive, and kept while the call may have to be sent again. */
export class RequestBody {
  /** The chunks received so far; null if the request is too long to be kept, or will not be sent again. */
  private kept: Buffer[] | null = []
  private keptBytes = 0
  /** The memory that the kept chunks take, with their objects. */
  private takenBytes = 0
  private target: ClientHttp2Stream | null = null
  private isListening = false

  constructor(
    private readonly source: ServerHttp2Stream,
    private readonly memory: CallerMemory,
  ) {}

  get canReplay(): boolean {
    return this.kept !== null
  }

  /** Sends the request to a stream from the beginning; later chunks follow as they arrive. */
  sendTo(target: ClientHttp2Stream): void {
    this.target = target
    for (const chunk of this.kept ?? []) target.write(chunk)
    if (this.source.readableEnded) target.end()
    else if (this.isListening) this.source.resume()
    else this.listen()
  }

  /** Detaches the failed target, and stops reading until the next `sendTo`. */
  hold(): void {
    this.target = null
    this.source.pause()
  }

  /**
   * Discards the rest. It must still be read: a stream that ended without an error closes only when it has been read.
   */
  discard(): void {
    this.target = null
    this.source.resume()
  }

  /** Frees the kept chunks. The call can no longer be sent again. */
  forget(): void {
    this.kept = null
    this.memory.give(this.takenBytes)
    this.keptBytes = 0
    this.takenBytes = 0
  }

  private listen(): void {
    this.isListening = true
    this.source.on('data', (chunk: Buffer) => this.pass(chunk))
    this.source.once('end', () => this.target?.end())
  }

  private pass(chunk: Buffer): void {
    this.keep(chunk)
    const { target } = this
    if (!target || target.destroyed || target.write(chunk)) return
    this.source.pause()
    target.once('drain', () => {
      if (this.target === target) this.source.resume()
    })
  }

  private keep(chunk: Buffer): void {
    if (this.kept === null) return
    const costBytes = chunk.length + CHUNK_BYTES
    const isKept = this.keptBytes + chunk.length <= this.memory.bytesPerCall && this.memory.take(costBytes)
    if (!isKept) {
      this.forget()
      return
    }
    this.kept.push(copyOf(chunk))
    this.keptBytes += chunk.length
    this.takenBytes += costBytes
  }
}

/** Copies a chunk: it is a view of a larger buffer from the socket, which would otherwise stay in memory. */
function copyOf(chunk: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(chunk.length)
  chunk.copy(copy)
  return copy
}
