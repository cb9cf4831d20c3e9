import { setTimeout as delay } from 'node:timers/promises'
import { EtcdApi, type Message } from './etcd-api.js'
import { registration } from './etcd-state.js'

const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Answered {
  readonly header: { readonly revision: string }
}

/** Writes registrations of one service straight into etcd, quickly and by no code of ours. */
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

  /** The revision that the put made. */
  async put(port: number, weight: number, lease = '0'): Promise<number> {
    return await this.revisionOf('KV/Put', { ...this.pair(port, weight), lease })
  }

  /** Puts several in one revision. @param ballastBytes how much larger each value is than it need be */
  async putTogether(ports: readonly number[], weight: number, ballastBytes = 0): Promise<number> {
    const success = ports.map((port) => ({ request_put: this.pair(port, weight, ballastBytes) }))
    return await this.revisionOf('KV/Txn', { success })
  }

  async delete(port: number): Promise<number> {
    return await this.revisionOf('KV/DeleteRange', { key: base64(this.keyOf(port)) })
  }

  /**
   * Puts weights 1 to `count` to so many ports in turn, many at a time; the last revision. A put that a dying
   * member leaves without an answer is made again: it may have happened.
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

  /** Puts many ports in few revisions; the last one. */
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

/** etcd takes no more by default. */
const OPERATIONS_A_TXN = 128

/** So many addresses as there are numbers: of ports, then of hosts. */
function addrOf(port: number): string {
  return `10.0.${Math.floor(port / 50_000)}.1:${1_000 + (port % 50_000)}`
}
