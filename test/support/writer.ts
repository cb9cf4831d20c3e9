import { setTimeout as delay } from 'node:timers/promises'
import { EtcdApi, type Message } from './etcd-api.js'
import { registration } from './etcd-state.js'

const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Answered {
  readonly header: { readonly revision: string }
}

/** Writes registrations of one service directly and quickly into etcd, without code of the project. */
export class Writer implements Disposable {
  readonly api: EtcdApi

  constructor(
    endpoint: string,
    readonly service: string,
  ) {
    this.api = new EtcdApi(endpoint)
  }

  get prefix(): string {
    return `/${this.service}/`
  }

  keyOf(port: number): string {
    return registration(this.service, addrOf(port))[0]
  }

  /** Registers a port. Returns the revision of the put. */
  async put(port: number, weight: number, lease = '0'): Promise<number> {
    return await this.revisionOf('KV/Put', { ...this.pair(port, weight), lease })
  }

  /** Puts several ports in one revision. @param ballastBytes additional size of each value */
  async putTogether(ports: readonly number[], weight: number, ballastBytes = 0): Promise<number> {
    const success = ports.map((port) => ({ request_put: this.pair(port, weight, ballastBytes) }))
    return await this.revisionOf('KV/Txn', { success })
  }

  async delete(port: number): Promise<number> {
    return await this.revisionOf('KV/DeleteRange', { key: base64(this.keyOf(port)) })
  }

  /**
   * Puts the weights 1 to `count` to `ports` ports in turn, with many concurrent puts. Returns the last revision. A put
   * that a dying member does not answer is repeated, although it may have been carried out.
   */
  async putMany(count: number, ports: number): Promise<number> {
    let written = 0
    let last = 0
    const worker = async (): Promise<void> => {
      while (written < count) {
        written++
        const [port, weight] = [written % ports, written]
        const again = (): Promise<number> => delay(50).then(() => this.put(port, weight).catch(again))
        const revision = await this.put(port, weight).catch(again)
        last = Math.max(last, revision)
      }
    }
    await Promise.all(Array.from({ length: 32 }, worker))
    return last
  }

  /** Puts `count` ports in few revisions. Returns the last revision. */
  async fill(count: number): Promise<number> {
    let last = 0
    for (let from = 0; from < count; from += OPERATIONS_A_TXN) {
      const length = Math.min(OPERATIONS_A_TXN, count - from)
      last = await this.putTogether(
        Array.from({ length }, (_, at) => from + at),
        1,
      )
    }
    return last
  }

  /** Current weights by key. */
  async view(): Promise<Map<string, number>> {
    const range = { key: base64(this.prefix), range_end: base64(`/${this.service}0`) }
    const { kvs } = (await this.api.get('KV/Range', range)) as { kvs: { key: string; value: string }[] }
    const text = (encoded: string) => Buffer.from(encoded, 'base64').toString()
    return new Map(
      kvs.map(({ key, value }) => [text(key), (JSON.parse(text(value)) as { weight: number }).weight]),
    )
  }

  async compact(revision: number): Promise<void> {
    await this.api.get('KV/Compact', { revision: String(revision) })
  }

  [Symbol.dispose](): void {
    this.api.close()
  }

  private pair(port: number, weight: number, ballastBytes = 0): Message {
    const [key, value] = registration(this.service, addrOf(port), { weight })
    const ballast = ballastBytes === 0 ? '' : `,"ballast":"${'x'.repeat(ballastBytes)}"`
    return { key: base64(key), value: base64(value.replace(/}$/, `${ballast}}`)) }
  }

  private async revisionOf(path: string, request: Message): Promise<number> {
    const { header } = (await this.api.get(path, request)) as unknown as Answered
    return Number(header.revision)
  }
}

/** The default limit of operations in an etcd transaction. */
const OPERATIONS_A_TXN = 128

/** The address for a number: numbers are mapped to ports first, and then to hosts. */
function addrOf(port: number): string {
  return `10.0.${Math.floor(port / 50_000)}.1:${1_000 + (port % 50_000)}`
}
