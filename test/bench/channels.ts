import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi } from '../support/etcd-api.js'
import { registration } from '../support/etcd-state.js'
import type { Figure } from './figure.js'
import { median } from './median.js'

const OWN = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const MAIN = fileURLToPath(new URL('./channels-main.ts', import.meta.url))
const SERVERS = fileURLToPath(new URL('./connect-servers-main.ts', import.meta.url))
const CHANNELS = [1, 1_000]
const ENDPOINTS = 10
const CHANGES = 40
/** Longer than any window in which changes are collected. */
const PAUSE_MS = 250

/**
 * What 1,000 channels to one service in a process cost: etcd streams, memory, and CPU for each weight change.
 * `BENCH_CHECKOUTS` names further checkouts, separated by colons.
 */
export async function run(): Promise<void> {
  const others = (process.env.BENCH_CHECKOUTS ?? '').split(':').filter((path) => path !== '')
  console.log(
    '| checkout | channels | etcd watch streams | CPU per change | RSS | heap | above one channel: RSS | heap |',
  )
  console.log('|---|---|---|---|---|---|---|---|')
  for (const [at, checkout] of [OWN, ...others].entries()) {
    let first: Memory | null = null
    for (const channels of CHANNELS) {
      const { streams, cpuMs, memory } = await measure(checkout, channels)
      first ??= memory
      const cells = [
        at,
        channels,
        streams,
        `${cpuMs.toFixed(2)} ms`,
        mb(memory.rss),
        mb(memory.heap),
        mb(memory.rss - first.rss),
        mb(memory.heap - first.heap),
      ]
      console.log(`| ${cells.join(' | ')} |`)
    }
  }
}

/** 1,000 channels beside one, and beside 1,000 of grpc-js alone: with its round_robin, and with a policy that does nothing. */
export async function figures(): Promise<Figure[]> {
  const one = await measure(OWN, 1)
  const many = await measure(OWN, 1_000)
  const roundRobin = await measure(OWN, 1_000, 'round_robin')
  const nothing = await measure(OWN, 1_000, 'bench_nothing')
  const above = ({ memory }: Measured, kind: keyof Memory) => (memory[kind] - one.memory[kind]) / 1e6
  const cpu = many.cpuMs / roundRobin.cpuMs
  const rss = above(many, 'rss') / above(roundRobin, 'rss')
  const alone = (of: (measured: Measured) => string) =>
    `round_robin ${of(roundRobin)}, a policy that does nothing ${of(nothing)}`
  const cpuNote = alone(({ cpuMs }) => `${cpuMs.toFixed(1)} ms`)
  const rssNote = alone((measured) => `${above(measured, 'rss').toFixed(1)} MB`)
  return [
    { name: '1,000 channels: etcd streams', aim: 1, measured: many.streams, unit: 'streams' },
    { name: '1,000 channels: CPU a change', aim: 15, measured: many.cpuMs, unit: 'ms' },
    {
      name: '1,000 channels: CPU a change, to grpc-js alone',
      aim: null,
      measured: cpu,
      unit: '×',
      note: cpuNote,
    },
    { name: '1,000 channels: RSS above one channel', aim: 60, measured: above(many, 'rss'), unit: 'MB' },
    {
      name: '1,000 channels: RSS above one, to grpc-js alone',
      aim: null,
      measured: rss,
      unit: '×',
      note: rssNote,
    },
    { name: '1,000 channels: heap above one channel', aim: 60, measured: above(many, 'heap'), unit: 'MB' },
  ]
}

interface Memory {
  readonly rss: number
  readonly heap: number
}

interface Measured {
  readonly memory: Memory
  readonly streams: number
  readonly cpuMs: number
}

/** @param plain the policy of channels of grpc-js alone; empty for ours */
async function measure(checkout: string, channels: number, plain = ''): Promise<Measured> {
  await using etcd = await RealEtcd.start()
  const api = new EtcdApi(etcd.endpoint)
  const servers = spawn(process.execPath, ['--import', 'tsx', SERVERS, String(ENDPOINTS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const addrs = (await nextLine(createInterface(servers.stdout))).split(' ')
  const put = async (addr: string, weight: number) => {
    const [key, value] = registration('hello', addr, { weight })
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    await api.get('KV/Put', { key: base64(key), value: base64(value) })
  }
  for (const addr of addrs) await put(addr, 1)
  const flags = ['--expose-gc', '--import', 'tsx', MAIN, checkout, etcd.endpoint, String(channels), '', plain]
  const child = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)
  try {
    const memory = JSON.parse(await nextLine(lines)) as Memory
    const streams = await metric(etcd, 'etcd_debugging_mvcc_watch_stream_total')
    const cpuMs: number[] = []
    await cpuSince(child, lines)
    for (let change = 0; change < CHANGES; change++) {
      await put(addrs[change % ENDPOINTS] ?? '', change + 2)
      await sleep(PAUSE_MS)
      cpuMs.push((await cpuSince(child, lines)) / 1_000)
    }
    return { memory, streams, cpuMs: median(cpuMs) }
  } finally {
    const gone = once(child, 'exit')
    child.stdin.end()
    await gone
    servers.stdin.end()
    api.close()
  }
}

async function cpuSince({ stdin }: ChildProcess, lines: Interface): Promise<number> {
  const line = nextLine(lines)
  stdin?.write('\n')
  return Number(await line)
}

async function nextLine(lines: Interface): Promise<string> {
  const [line] = (await once(lines, 'line')) as [string]
  return line
}

async function metric(etcd: RealEtcd, name: string): Promise<number> {
  const text = await (await fetch(`http://${etcd.endpoint}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
