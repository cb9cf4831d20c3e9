import { readFileSync } from 'node:fs'
import type { ClientDuplexStream } from '@grpc/grpc-js'
import { DevRegistryProcess } from '../support/dev-registry-process.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi, type Message } from '../support/etcd-api.js'
import { median } from './median.js'

/** Each case runs this often against each server, by turns; the median counts. */
const ROUNDS = 5

/** /proc counts CPU time in ticks of this length on every Linux that Node supports. */
const TICK_MS = 10

interface Server {
  readonly name: string
  readonly pid: number
  readonly api: EtcdApi
}

interface Case {
  readonly name: string
  /** Untimed: what the case needs to find. */
  readonly prepare?: (api: EtcdApi) => Promise<void>
  /** @returns what to print beside the CPU time, in `unit`; bigger or smaller is better as the unit says. */
  readonly run: (api: EtcdApi) => Promise<number>
  readonly unit: 'puts/s' | 'ms'
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const ALL = base64('\0')

/** What a registration looks like. */
const VALUE = base64('{"name":"hello","addr":"10.0.0.1:1001","version":"1.0.0","weight":10}')

async function puts(api: EtcdApi, count: number, inFlight: number): Promise<number> {
  const started = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await api.get('KV/Put', { key: base64(`/bench/${next++ % 1000}`), value: VALUE })
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return count / ((performance.now() - started) / 1000)
}

async function tenThousandKeys(api: EtcdApi): Promise<void> {
  await api.get('KV/DeleteRange', { key: ALL, range_end: ALL })
  for (let at = 0; at < 10_000; at += 100) {
    const success = Array.from({ length: 100 }, (_, index) => ({
      request_put: { key: base64(`/range/${at + index}`), value: VALUE },
    }))
    await api.get('KV/Txn', { success })
  }
}

async function ranges(api: EtcdApi, count: number): Promise<number> {
  const started = performance.now()
  for (let index = 0; index < count; index++) await api.get('KV/Range', { key: ALL, range_end: ALL })
  return (performance.now() - started) / count
}

type WatchStream = ClientDuplexStream<Message, Message>

async function openWatch(
  api: EtcdApi,
  watchers: number,
  onEvents: (count: number) => void,
): Promise<WatchStream> {
  const stream = api.stream('Watch/Watch').on('error', () => {})
  await new Promise<void>((resolve) => {
    let created = 0
    stream.on('data', (response: { created: boolean; events: unknown[] }) => {
      if (response.created && ++created === watchers) resolve()
      onEvents(response.events.length)
    })
    for (let index = 0; index < watchers; index++) {
      stream.write({ create_request: { key: base64('/watch/'), range_end: base64('/watch0') } })
    }
  })
  return stream
}

async function putToWatch(api: EtcdApi, count: number): Promise<number> {
  let seen = (): void => {}
  const stream = await openWatch(api, 1, (events) => events > 0 && seen())
  const latencies: number[] = []
  for (let index = 0; index < count; index++) {
    const started = performance.now()
    const event = new Promise<void>((resolve) => {
      seen = resolve
    })
    await Promise.all([event, api.get('KV/Put', { key: base64('/watch/a'), value: VALUE })])
    latencies.push(performance.now() - started)
  }
  stream.cancel()
  return median(latencies)
}

async function fanOut(api: EtcdApi, streams: number, watchers: number, count: number): Promise<number> {
  let left = streams * watchers * count
  let finish = (): void => {}
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  const onEvents = (events: number): void => {
    left -= events
    if (left === 0) finish()
  }
  const open = Array.from({ length: streams }, () => openWatch(api, watchers, onEvents))
  const opened = await Promise.all(open)
  const started = performance.now()
  for (let index = 0; index < count; index++)
    await api.get('KV/Put', { key: base64('/watch/a'), value: VALUE })
  await done
  const elapsed = performance.now() - started
  for (const stream of opened) stream.cancel()
  return elapsed
}

const cases: readonly Case[] = [
  { name: 'put, 1 in flight (2,000)', run: (api) => puts(api, 2000, 1), unit: 'puts/s' },
  { name: 'put, 64 in flight (10,000)', run: (api) => puts(api, 10_000, 64), unit: 'puts/s' },
  { name: 'range of 10,000 keys (30)', prepare: tenThousandKeys, run: (api) => ranges(api, 30), unit: 'ms' },
  { name: 'put to watch event (2,000)', run: (api) => putToWatch(api, 2000), unit: 'ms' },
  { name: '200 watchers × 200 puts, one stream', run: (api) => fanOut(api, 1, 200, 200), unit: 'ms' },
  { name: '200 watchers × 200 puts, 200 streams', run: (api) => fanOut(api, 200, 1, 200), unit: 'ms' },
]

/**
 * Prints the dev registry beside a real etcd: what the client sees, and the CPU time that the server takes.
 * BENCH_NODE_ARGS is for the registry's Node: `--cpu-prof --cpu-prof-dir=DIR` shows where that time goes.
 */
export async function run(): Promise<void> {
  await using etcd = await RealEtcd.start()
  await using ours = await DevRegistryProcess.start(process.env.BENCH_NODE_ARGS?.split(' '))
  const servers: readonly Server[] = [
    { name: 'etcd', pid: etcd.pid, api: new EtcdApi(etcd.endpoint) },
    { name: 'dev registry', pid: ours.pid, api: new EtcdApi(ours.endpoint) },
  ]
  console.log('| case | etcd | dev registry | ratio | etcd CPU ms | dev registry CPU ms | CPU ratio |')
  console.log('|---|---|---|---|---|---|---|')
  for (const { name, prepare, run: measure, unit } of cases) {
    const seen = new Map(
      servers.map((server) => [server.name, { results: [] as number[], cpuMs: [] as number[] }]),
    )
    for (const { api } of servers) await prepare?.(api)
    // The first round warms up and does not count.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const server of servers) {
        const before = cpuMs(server.pid)
        const result = await measure(server.api)
        if (round === 0) continue
        seen.get(server.name)?.results.push(result)
        seen.get(server.name)?.cpuMs.push(cpuMs(server.pid) - before)
      }
    }
    const [theirs, mine] = servers.map(({ name: server }) => seen.get(server))
    if (theirs === undefined || mine === undefined) continue
    const results = [median(theirs.results), median(mine.results)] as const
    const cpu = [mean(theirs.cpuMs), mean(mine.cpuMs)] as const
    const shown = results.map((value) => `${value.toFixed(unit === 'ms' ? 2 : 0)} ${unit}`)
    const cells = [name, ...shown, ratio(results), ...cpu.map((ms) => ms.toFixed(0)), ratio(cpu)]
    console.log(`| ${cells.join(' | ')} |`)
  }
  for (const { api } of servers) api.close()
}

function ratio([theirs, ours]: readonly [number, number]): string {
  return `${(ours / theirs).toFixed(2)}×`
}

/** User and system time of a process, fields 14 and 15 of its stat; the name before them may hold spaces. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Ticks are coarse; their sum over the rounds is not. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
