import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, credentials, status } from '@grpc/grpc-js'
import type { Rng } from '../../fuzz/rng.js'
import { until } from '../../support/disco.js'
import { burst, chat, collect, ended, PATHS, unary } from '../../support/four-kinds.js'

const UNARY_WORKERS = 8
/** Pause between two calls of a worker: the soak tests duration, not throughput. */
const PAUSE_MS = 30
const STREAM_PAUSE_MS = 150
const HOSTILE_PAUSE_MS = 3_000
/** A call that takes longer is considered to hang. */
const HANG_MS = 60_000
const CLIENT_LIFE_MS = 15_000
const CHUNK_BYTES = 16_384

/** A call that failed. */
export interface Failure {
  readonly kind: string
  readonly atMs: number
  readonly code: number
  readonly details: string
}

/** Calls of all kinds through the proxy over several connections, some with slow readers, until `end`. */
export class ProxyTraffic {
  /** Number of successful calls by kind. */
  readonly done: Record<string, number> = {}
  private readonly clients = new Set<Client>()
  private readonly workers: Promise<void>[] = []
  private isOver = false

  /** @param failed is called for each failure */
  constructor(
    private readonly address: string,
    private readonly rng: Rng,
    private readonly failed: (failure: Failure) => void,
  ) {
    for (let at = 0; at < UNARY_WORKERS; at++) this.repeat('unary', PAUSE_MS, (client) => oneUnary(client))
    for (let at = 0; at < 3; at++) this.repeat('chat', STREAM_PAUSE_MS, (client) => this.oneChat(client))
    this.repeat('cancel', STREAM_PAUSE_MS, (client) => this.oneCancel(client))
    this.repeat('collect', STREAM_PAUSE_MS, (client) => this.oneCollect(client))
    this.repeat('burst', STREAM_PAUSE_MS, (client) => this.oneBurst(client))
    this.repeat('hostile', HOSTILE_PAUSE_MS, () => this.hostile())
  }

  /** Ends the calls, and then the connections. */
  async end(): Promise<void> {
    this.isOver = true
    await Promise.all(this.workers)
    for (const client of this.clients) client.close()
  }

  private repeat(kind: string, pauseMs: number, act: (client: Client) => Promise<string | null>): void {
    this.workers.push(this.work(kind, pauseMs, act))
  }

  private async work(
    kind: string,
    pauseMs: number,
    act: (client: Client) => Promise<string | null>,
  ): Promise<void> {
    let client = this.client()
    let sinceMs = performance.now()
    while (!this.isOver) {
      const problem = await withinLimit(act(client)).catch((error: Error) => error.message)
      if (problem === null) this.done[kind] = (this.done[kind] ?? 0) + 1
      else this.report(kind, problem)
      await delay(this.rng.int(pauseMs / 2, pauseMs * 1.5))
      if (performance.now() - sinceMs < CLIENT_LIFE_MS) continue
      client.close()
      this.clients.delete(client)
      client = this.client()
      sinceMs = performance.now()
    }
  }

  private client(): Client {
    const own = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 }
    const client = new Client(this.address, credentials.createInsecure(), own)
    this.clients.add(client)
    return client
  }

  /** @param problem starts with the gRPC status code, if there is one */
  private report(kind: string, problem: string): void {
    // The message of a grpc-js error also contains the name of the status.
    const [, code = '-1', details = problem] = /^(\d+) (?:[A-Z_]+: )?(.*)$/s.exec(problem) ?? []
    this.failed({ kind, atMs: performance.now(), code: Number(code), details })
  }

  private async oneChat(client: Client): Promise<string | null> {
    const talk = chat(client)
    const end = ended(talk)
    const echoed: string[] = []
    talk.on('error', () => undefined)
    talk.on('data', (message: Buffer) => echoed.push(String(message)))
    const words = Array.from({ length: this.rng.int(1, 8) }, (_, at) => `word ${at}`)
    for (const word of words) {
      talk.write(Buffer.from(word))
      await delay(this.rng.int(0, 200))
    }
    talk.end()
    const { code, details } = await end
    if (code !== status.OK) return `${code} ${details}`
    return echoed.join() === words.join() ? null : `the chat echoed ${echoed.length} of ${words.length}`
  }

  private async oneCancel(client: Client): Promise<string | null> {
    const talk = chat(client)
    const end = ended(talk)
    talk.on('error', () => undefined)
    talk.on('data', () => undefined)
    if (this.rng.chance(0.7)) talk.write(Buffer.alloc(this.rng.int(1, 100_000)))
    await delay(this.rng.int(0, 50))
    talk.cancel()
    const { code, details } = await end
    return code === status.CANCELLED ? null : `${code} ${details}`
  }

  private async oneCollect(client: Client): Promise<string | null> {
    const sizes = Array.from({ length: this.rng.int(1, 20) }, () => this.rng.int(1, CHUNK_BYTES))
    const counted = await collect(client, sizes)
    const sent = sizes.reduce((sum, size) => sum + size, 0)
    return Number(counted) === sent ? null : `${counted} of ${sent} bytes of a request arrived`
  }

  /** Reads a reply slowly. All its bytes must arrive. */
  private async oneBurst(client: Client): Promise<string | null> {
    const count = this.rng.int(1, 60)
    const stream = burst(client, count, CHUNK_BYTES)
    const end = ended(stream)
    let bytes = 0
    stream.on('error', () => undefined)
    stream.on('data', (message: Buffer) => {
      bytes += message.length
      if (this.rng.chance(0.1)) {
        stream.pause()
        setTimeout(() => stream.resume(), 50)
      }
    })
    const { code, details } = await end
    if (code !== status.OK) return `${code} ${details}`
    await until(
      () => stream.readableEnded,
      () => 'the last message of a burst',
    )
    return bytes === count * CHUNK_BYTES ? null : `${bytes} of ${count * CHUNK_BYTES} bytes of a reply came`
  }

  /** Behaves like a hostile caller, which may lose its own connection, but must not affect other calls. */
  private async hostile(): Promise<string | null> {
    if (this.rng.chance(0.5)) {
      const [host = '', port = ''] = this.address.split(':')
      const socket = connect(Number(port), host)
      socket.on('error', () => undefined).resume()
      socket.write(this.rng.chance(0.5) ? 'GET / HTTP/1.1\r\n\r\n' : 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0')
      await delay(200)
      socket.destroy()
      return null
    }
    const session = connectHttp2(`http://${this.address}`)
    session.on('error', () => undefined)
    for (let call = 0; call < 50 && !session.destroyed; call++) {
      const headers = { ':method': 'POST', ':path': PATHS.Unary, 'content-type': 'application/grpc' }
      const stream = session.request({ ...headers, te: 'trailers' })
      stream.on('error', () => undefined)
      stream.close(constants.NGHTTP2_CANCEL)
    }
    const closed = once(session, 'close')
    session.destroy()
    await closed
    return null
  }
}

async function oneUnary(client: Client): Promise<string | null> {
  const { code, details, reply } = await unary(client, { deadlineMs: HANG_MS / 2 })
  if (code !== status.OK) return `${code} ${details}`
  return String(reply) === 'hello' ? null : `the reply was ${reply}`
}

async function withinLimit(call: Promise<string | null>): Promise<string | null> {
  const over = new AbortController()
  const limit = delay(HANG_MS, `no end within ${HANG_MS} ms`, { signal: over.signal })
  // Rejects with an abort when the call has ended.
  limit.catch(() => undefined)
  return await Promise.race([call, limit]).finally(() => over.abort())
}
