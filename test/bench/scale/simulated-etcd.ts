import type { IKeyValue, IRangeRequest, IWatchRequest, IWatchResponse } from 'etcd3'
import { DiscoError } from '../../../src/domain/errors.js'
import type { EtcdClient, KeepAliveStream, WatchStream } from '../../../src/etcd/client.js'
import { type RangeAnswer, readRangeAnswer } from '../../../src/etcd/range-answer.js'
import { registration } from '../../support/etcd-state.js'
import { kvMethod } from '../../support/range-answers.js'
import type { VirtualClock } from './virtual-clock.js'

/** What etcd is asked for, and what it sends. */
export const KINDS = [
  'keep-alive',
  'progress',
  'read',
  'list',
  'watch',
  'stream',
  'event',
  'refused',
] as const
export type Kind = (typeof KINDS)[number]

/** A round trip, in milliseconds. */
const MIN_MS = 1
const MAX_MS = 5

/** One service: its endpoints as etcd would send them. */
class Service {
  readonly watchers = new Set<Link<IWatchResponse>>()
  readonly kvs: IKeyValue[]
  private newest = 0
  private answers: { revision: number; all: RangeAnswer; newest: RangeAnswer } | null = null

  constructor(
    readonly name: string,
    endpoints: number,
  ) {
    this.kvs = Array.from({ length: endpoints }, (_, index) => this.pair(index, 1))
  }

  change(index: number, revision: number): IKeyValue {
    const kv = this.pair(index, revision)
    this.kvs[index] = kv
    this.newest = index
    this.answers = null
    return kv
  }

  answer(request: IRangeRequest, revision: number): RangeAnswer {
    if (this.answers?.revision !== revision) {
      const newest = this.kvs[this.newest]
      this.answers = {
        revision,
        all: answerOf(this.kvs, this.kvs.length, revision),
        newest: answerOf(newest ? [newest] : [], this.kvs.length, revision),
      }
    }
    return request.sort_target === undefined ? this.answers.all : this.answers.newest
  }

  private pair(index: number, revision: number): IKeyValue {
    const [key, value] = registration(this.name, `10.0.${index >> 8}.${index & 255}:80`, { weight: revision })
    const revisions = { create_revision: '1', mod_revision: String(revision), version: '1' }
    return { key: Buffer.from(key), value: Buffer.from(value), lease: '1', ...revisions } as IKeyValue
  }
}

function headerOf(revision: number) {
  return { cluster_id: '1', member_id: '1', revision: String(revision), raft_term: '2' }
}

function answerOf(kvs: readonly IKeyValue[], count: number, revision: number): RangeAnswer {
  const answer = { header: headerOf(revision), kvs, more: false, count: String(count) }
  return readRangeAnswer(kvMethod('Range').responseSerialize(answer))
}

/** One direction of a stream, over a link with a delay. */
class Link<Response> implements AsyncIterable<Response> {
  private readonly arrived: Response[] = []
  private failure: DiscoError | null = null
  private isClosed = false
  private wake: () => void = () => undefined

  push(response: Response): void {
    this.arrived.push(response)
    this.wake()
  }

  fail(error: DiscoError): void {
    this.failure = error
    this.wake()
  }

  end(): void {
    this.isClosed = true
    this.wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Response, void, void> {
    for (;;) {
      const next = this.arrived.shift()
      if (next !== undefined) yield next
      else if (this.isClosed) return
      else if (this.failure) throw this.failure
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve
        })
    }
  }
}

/** An etcd of one member as clients see it: it answers after a random delay, and counts. Its `client` serves them all. */
export class SimulatedEtcd {
  /** Of each kind, in the current second. */
  readonly counts = new Map<Kind, number>(KINDS.map((kind) => [kind, 0]))
  private readonly services: readonly Service[]
  private readonly links = new Set<Link<never>>()
  private revision = 1
  private isAway = false

  constructor(
    private readonly clock: VirtualClock,
    private readonly random: () => number,
    services: number,
    endpointsEach: number,
  ) {
    this.services = Array.from({ length: services }, (_, at) => new Service(`service-${at}`, endpointsEach))
  }

  prefix(service: number): string {
    return `/${this.services[service]?.name}/`
  }

  /** An endpoint of a service is written: its watchers are sent the event. */
  put(service: number, endpoint: number): void {
    const of = this.services[service]
    if (!of || this.isAway) return
    this.revision++
    const kv = of.change(endpoint, this.revision)
    const header = headerOf(this.revision)
    for (const watcher of of.watchers) {
      this.count('event')
      const response = { ...QUIET, header, events: [{ type: 'Put', kv, prev_kv: kv }] }
      this.later(() => watcher.push(response as unknown as IWatchResponse))
    }
  }

  /** Every connection breaks, and none stands until `restart`. */
  stop(): void {
    this.isAway = true
    for (const service of this.services) service.watchers.clear()
    for (const link of this.links) link.fail(away())
    this.links.clear()
  }

  restart(): void {
    this.isAway = false
  }

  get client(): EtcdClient {
    const client = {
      memberCount: 1,
      under: () => client,
      translate: (thrown: unknown) => DiscoError.from(thrown),
      range: (request: IRangeRequest) => this.range(request),
      openWatch: () => this.openWatch(),
      openKeepAlive: () => this.openKeepAlive(),
    }
    return client as unknown as EtcdClient
  }

  private async range(request: IRangeRequest): Promise<RangeAnswer> {
    await this.arrive(request.sort_target === undefined ? 'list' : 'read')
    return this.serviceOf(request.key as Buffer).answer(request, this.revision)
  }

  private async openWatch(): Promise<WatchStream> {
    await this.arrive('stream')
    const link = new Link<IWatchResponse>()
    this.links.add(link as Link<never>)
    let service: Service | null = null
    const write = (request: IWatchRequest) => {
      const { create_request: create } = request as { create_request?: { key: Buffer } }
      this.count(create ? 'watch' : 'progress')
      if (create) service = this.serviceOf(create.key)
      const response = {
        ...QUIET,
        header: headerOf(this.revision),
        created: create !== undefined,
        events: [],
      }
      this.later(() => {
        if (this.isAway) return
        if (create) service?.watchers.add(link)
        link.push(response as unknown as IWatchResponse)
      })
    }
    const close = () => {
      service?.watchers.delete(link)
      this.links.delete(link as Link<never>)
      link.end()
    }
    const read = async () => {
      await this.arrive('read')
      return { header: headerOf(this.revision), kvs: [], more: false, count: '0' }
    }
    return Object.assign(link, {
      url: 'http://etcd:2379',
      write,
      close,
      blame: () => undefined,
      read,
    }) as never
  }

  private async openKeepAlive(): Promise<KeepAliveStream> {
    await this.arrive('stream')
    const link = new Link<{ TTL: string }>()
    this.links.add(link as Link<never>)
    const write = () => {
      this.count('keep-alive')
      this.later(() => {
        if (!this.isAway) link.push({ TTL: '10' })
      })
    }
    const close = () => {
      this.links.delete(link as Link<never>)
      link.end()
    }
    return Object.assign(link, { url: 'http://etcd:2379', write, close, blame: () => undefined }) as never
  }

  /** @throws DiscoError while it is away */
  private async arrive(kind: Kind): Promise<void> {
    this.count(this.isAway ? 'refused' : kind)
    await new Promise<void>((resolve) => this.later(resolve))
    if (this.isAway) throw away()
  }

  private serviceOf(key: Buffer): Service {
    const service = this.services[Number(/service-(\d+)/.exec(key.toString())?.[1])]
    if (!service) throw new Error(`no service has the key ${key}`)
    return service
  }

  private later(run: () => void): void {
    this.clock.add(run, MIN_MS + this.random() * (MAX_MS - MIN_MS))
  }

  private count(kind: Kind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }
}

const QUIET = {
  watch_id: '1',
  created: false,
  canceled: false,
  fragment: false,
  compact_revision: '0',
  cancel_reason: '',
}

function away(): DiscoError {
  return new DiscoError('ETCD_UNREACHABLE', 'etcd is away')
}
