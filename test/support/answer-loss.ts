import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { until } from './disco.js'
import type { Etcd } from './etcd.js'
import { revision } from './etcd-state.js'

/** What happens to a write whose answer is lost. */
export interface Loss {
  /** Number of earlier writes to the key that are answered. Default: 0. */
  readonly passing?: number
  /** Whether etcd carries out the write before the connection ends. Default: true. */
  readonly arrives?: boolean
  /** Runs between the write and the end of its connection. */
  readonly meanwhile?: () => Promise<unknown>
  /** Whether new connections are refused afterwards. Default: false. */
  readonly thenGone?: boolean
}

/** A TCP proxy in front of etcd that closes the connection of a chosen write before its answer. */
export class AnswerLoss implements AsyncDisposable {
  /** Number of answers lost so far. */
  lost = 0

  private next: { readonly key: string | Buffer; readonly loss: Loss; passing: number } | null = null
  private failure: unknown = null
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly etcd: Etcd,
    private readonly server: Server,
  ) {
    server.on('connection', (client) => this.pass(client))
  }

  static async start(etcd: Etcd): Promise<AnswerLoss> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new AnswerLoss(etcd, server)
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Loses the answer of the next write to this key. Later writes are answered. */
  loseNext(key: string | Buffer, loss: Loss = {}): void {
    this.next = { key, loss, passing: loss.passing ?? 0 }
  }

  /** Closes all connections, and accepts no new ones. */
  refuse(): void {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
  }

  /** @throws an error that occurred while an answer was being lost */
  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse()
    if (this.failure !== null) throw this.failure
  }

  private pass(client: Socket): void {
    const { port, hostname } = new URL(`http://${this.etcd.endpoint}`)
    const server = connect(Number(port), hostname)
    const end = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      this.sockets.add(socket)
      socket.on('error', end).on('close', () => {
        this.sockets.delete(socket)
        end()
      })
    }
    let isLosing = false
    /** Pieces of the write that are withheld; null while everything is forwarded. */
    let held: Buffer[] | null = null
    const sendHeld = () => {
      for (const piece of held ?? []) server.write(piece)
      held = null
    }
    server.on('data', (chunk) => isLosing || client.write(chunk))
    client.on('data', (chunk) => {
      if (held !== null) held.push(chunk)
      else if (isLosing || this.next === null || !isWriteTo(this.next.key, chunk)) server.write(chunk)
      else if (this.next.passing-- > 0) server.write(chunk)
      else {
        isLosing = true
        held = [chunk]
        const { loss } = this.next
        this.next = null
        const note = (error: unknown) => {
          this.failure ??= error
        }
        void this.lose(loss, sendHeld).catch(note).finally(end)
      }
    })
  }

  private async lose({ arrives = true, meanwhile, thenGone = false }: Loss, send: () => void): Promise<void> {
    if (arrives) {
      const before = await revision(this.etcd)
      send()
      await until(
        async () => (await revision(this.etcd)) > before,
        () => 'etcd to carry out the write',
      )
    }
    await meanwhile?.()
    this.lost++
    if (thenGone) this.refuse()
  }
}

/**
 * A guarded write contains its key three times: in its comparison, in its change, and in the read that runs if the
 * comparison fails.
 */
function isWriteTo(key: string | Buffer, chunk: Buffer): boolean {
  let at = -1
  for (let times = 0; times < 3; times++) {
    at = chunk.indexOf(key, at + 1)
    if (at < 0) return false
  }
  return true
}
