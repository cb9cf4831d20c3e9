import type { ClientHttp2Stream, ServerHttp2Stream } from 'node:http2'

/** The memory that all requests together may take to be kept for a replay. */
const MOST_KEPT_BYTES = 64 * 2 ** 20

/** The memory in which requests are kept. */
export class ReplayMemory {
  private free = MOST_KEPT_BYTES

  /** @param bytesPerCall the longest request that is kept */
  constructor(readonly bytesPerCall: number) {}

  take(bytes: number): boolean {
    if (bytes > this.free) return false
    this.free -= bytes
    return true
  }

  give(bytes: number): void {
    this.free += bytes
  }
}

/** The bytes of a request: passed on as they come, and kept while the call may have to be sent again. */
export class RequestBody {
  /** Null where it is too long to be sent again, or need not be. */
  private kept: Buffer[] | null = []
  private keptBytes = 0
  private target: ClientHttp2Stream | null = null
  private isListening = false

  constructor(
    private readonly source: ServerHttp2Stream,
    private readonly memory: ReplayMemory,
  ) {}

  get canReplay(): boolean {
    return this.kept !== null
  }

  /** Sends all of it, from its beginning, as far as the target takes it. */
  sendTo(target: ClientHttp2Stream): void {
    this.target = target
    for (const chunk of this.kept ?? []) target.write(chunk)
    if (this.source.readableEnded) target.end()
    else if (this.isListening) this.source.resume()
    else this.listen()
  }

  /** The target has failed: what comes from now on waits for the next one. */
  hold(): void {
    this.target = null
    this.source.pause()
  }

  /** The call cannot be sent again any more. */
  forget(): void {
    this.kept = null
    this.memory.give(this.keptBytes)
    this.keptBytes = 0
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
    const isKept = this.keptBytes + chunk.length <= this.memory.bytesPerCall && this.memory.take(chunk.length)
    if (!isKept) {
      this.forget()
      return
    }
    this.kept.push(chunk)
    this.keptBytes += chunk.length
  }
}
