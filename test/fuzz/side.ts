import type { ClientDuplexStream } from '@grpc/grpc-js'
import { EtcdApi, type Message } from '../support/etcd-api.js'
import { normalForm } from './normal-form.js'
import { bytes, FENCE_KEY, isRead, type Step } from './steps.js'
import { WatchRecord } from './watch-record.js'

/** One of the two servers that a script is run against. */
export class Side {
  readonly streams = new Map<number, WatchRecord>()
  private readonly api: EtcdApi
  private keepAlives: ClientDuplexStream<Message, Message> | undefined

  constructor(endpoint: string) {
    this.api = new EtcdApi(endpoint)
  }

  /** Runs steps in order; reads between two changes run concurrently. Returns the answers in normal form. */
  async run(steps: readonly Step[]): Promise<string[]> {
    const answers: Promise<string>[] = []
    for (const step of steps) {
      if (!isRead(step)) await Promise.all(answers)
      const answer = this.step(step)
      answers.push(answer)
      if (!isRead(step)) await answer
    }
    return Promise.all(answers)
  }

  close(): void {
    for (const stream of this.streams.values()) stream.close()
    this.keepAlives?.cancel()
    this.api.close()
  }

  private async step(step: Step): Promise<string> {
    switch (step.do) {
      case 'call':
        return normalForm(step, await this.api.call(step.path, step.request))
      case 'keepAlive':
        return normalForm(step, { ok: await this.keepAlive(step.id) })
      case 'watch':
        await this.stream(step.stream).request(step.request)
        return ''
      case 'closeStream':
        this.streams.get(step.stream)?.close()
        this.streams.delete(step.stream)
        return ''
      case 'settle':
        return this.settle()
    }
  }

  private stream(index: number): WatchRecord {
    const known = this.streams.get(index)
    if (known) return known
    const opened = new WatchRecord(this.api.stream('Watch/Watch'))
    this.streams.set(index, opened)
    return opened
  }

  private async settle(): Promise<string> {
    const put = await this.api.get('KV/Put', { key: FENCE_KEY, value: bytes('') })
    const { revision } = put.header as { revision: string }
    await Promise.all([...this.streams.values()].map((stream) => stream.passed(Number(revision))))
    return revision
  }

  private keepAlive(id: string): Promise<Message> {
    // An error of the stream appears as a keep-alive without an answer.
    this.keepAlives ??= this.api.stream('Lease/LeaseKeepAlive').on('error', () => {})
    const { keepAlives } = this
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error('a keep-alive was not answered')), 20_000)
      keepAlives.once('data', (response: Message) => {
        clearTimeout(deadline)
        resolve(response)
      })
      keepAlives.write({ ID: id })
    })
  }
}
