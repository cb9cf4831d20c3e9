import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { startGreeter } from '../../src/dev/greeter.js'
import { channelOptions } from '../../src/grpc/channel-options.js'
import { install } from '../../src/grpc/install.js'
import type { RegisteredEndpoint } from '../../src/grpc/resolver/endpoint.js'
import type { Observer } from '../../src/grpc/resolver/observer.js'
import { Registry } from '../../src/registry/registry.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { GreeterProcess } from '../support/greeter-process.js'
import type { Figure } from './figure.js'
import { median } from './median.js'

const BACKENDS = 5
const ROUNDS = 400
const CALLS_PER_ROUND = 100
const IN_FLIGHT = 16

const ENDPOINTS = 1_000
const CHANGES = 200
const PAUSE_MS = 50

/** What a channel costs beside grpc-js's own, and what one weight change costs a client of many endpoints. */
export async function figures(): Promise<Figure[]> {
  await using etcd = await RealEtcd.start()
  const registry = await Registry.open({ endpoints: [etcd.endpoint], cache: false })
  install({ discovery: registry })
  const measured = [...(await compareChannels(etcd)), await changeWeights(etcd)]
  registry.close()
  return measured
}

/** Calls through etcd and the weighted round robin, beside round_robin on static addresses, by turns. */
async function compareChannels(etcd: RealEtcd): Promise<Figure[]> {
  const backends = await Promise.all(Array.from({ length: BACKENDS }, () => GreeterProcess.start()))
  const addrs = backends.map(({ addr }) => addr)
  for (const addr of addrs) await etcd.ctl('put', ...registration('few', addr, { version: '1' }))
  const roundRobin = { 'grpc.service_config': '{"loadBalancingConfig":[{"round_robin":{}}]}' }
  const channels = [
    { name: 'etcd + disco_weighted_round_robin', client: client('etcd:///few', channelOptions()) },
    { name: 'static + grpc-js round_robin', client: client(`ipv4:${addrs.join()}`, roundRobin) },
  ].map((channel) => ({ ...channel, perSecond: [] as number[], cpuMicros: [] as number[] }))
  for (let round = -10; round < ROUNDS; round++) {
    // Neither is always the first, which would meet whatever the other has left to do.
    for (const channel of round % 2 === 0 ? channels : channels.toReversed()) {
      const cpu = process.cpuUsage()
      const started = performance.now()
      await callMany(channel.client)
      if (round < 0) continue
      channel.perSecond.push((CALLS_PER_ROUND / (performance.now() - started)) * 1_000)
      channel.cpuMicros.push(cpuMicrosSince(cpu) / CALLS_PER_ROUND)
    }
  }
  const [ours, theirs] = channels.map(({ perSecond, cpuMicros }) => ({
    rate: meanOfHalf(perSecond.toSorted((a, b) => b - a)),
    cpu: meanOfHalf(cpuMicros.toSorted((a, b) => a - b)),
  }))
  if (!ours || !theirs) throw new Error('two channels were compared')
  for (const { client } of channels) client.close()
  for (const backend of backends) await backend.kill()
  const name = 'a channel to grpc-js’s round_robin on static addresses'
  return [
    {
      name: `${name}: calls/s`,
      aim: 0.98,
      isMinimum: true,
      measured: ours.rate / theirs.rate,
      unit: '×',
      note: `${ours.rate.toFixed(0)} calls/s`,
    },
    {
      name: `${name}: CPU a call`,
      aim: null,
      measured: ours.cpu / theirs.cpu,
      unit: '×',
      note: `${ours.cpu.toFixed(0)} µs`,
    },
  ]
}

/** Of values from the best on: what other work on the machine has spoilt is in the other half. */
function meanOfHalf(values: readonly number[]): number {
  const half = values.slice(0, Math.ceil(values.length / 2))
  return half.reduce((sum, value) => sum + value, 0) / half.length
}

async function callMany(client: Client): Promise<void> {
  let left = CALLS_PER_ROUND
  const worker = async () => {
    while (left-- > 0) await sayHello(client)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}

function sayHello(client: Client): Promise<void> {
  const bytes = (value: Buffer) => value
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(
      ...(['/helloworld.Greeter/SayHello', bytes, bytes, Buffer.alloc(0), new Metadata()] as const),
      { deadline: Date.now() + 30_000 },
      (error) => (error ? reject(error) : resolve()),
    )
  })
}

/** One weight after the other changes among a thousand endpoints, all READY: the client's CPU for each. */
async function changeWeights(etcd: RealEtcd): Promise<Figure> {
  const server = await startGreeter({ port: 0, host: '0.0.0.0' })
  const port = server.addr.split(':')[1]
  // Every address of 127.0.0.0/8 is this machine's.
  const addrs = Array.from({ length: ENDPOINTS }, (_, at) => `127.0.${1 + (at >> 8)}.${at & 255}:${port}`)
  const keys = addrs.map((addr) => `/many/1/${addr}`)
  await using writer = await Writer.start(etcd.endpoint)
  for (const key of keys) await writer.put(key, 1)
  const watcher = new RotationWatcher()
  const channel = client('etcd:///many', channelOptions({ observer: watcher }))
  await until(
    () => watcher.weights.size === ENDPOINTS,
    () => `${ENDPOINTS} endpoints to be READY, are ${watcher.weights.size}`,
  )
  await sayHello(channel)
  const cpuMs: number[] = []
  for (let change = -5; change < CHANGES; change++) {
    // Single changes: those that follow each other within 20 ms are delivered together.
    await sleep(PAUSE_MS)
    const key = keys[((change + 5) * 7) % ENDPOINTS] ?? ''
    const cpu = process.cpuUsage()
    const next = watcher.next()
    await writer.put(key, 2 + change + 5)
    await next
    if (change >= 0) cpuMs.push(cpuMicrosSince(cpu) / 1_000)
  }
  channel.close()
  server.stop()
  const name = `one weight change among ${ENDPOINTS} READY endpoints: client CPU`
  return { name, aim: 4, measured: median(cpuMs), unit: 'ms' }
}

function client(target: string, options: object): Client {
  const made = new Client(target, credentials.createInsecure(), options)
  made.getChannel().getConnectivityState(true)
  return made
}

function cpuMicrosSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return user + system
}

class RotationWatcher implements Observer {
  weights: ReadonlyMap<RegisteredEndpoint, number> = new Map()
  private notify: () => void = () => undefined

  rotation(weights: ReadonlyMap<RegisteredEndpoint, number>): void {
    this.weights = weights
    this.notify()
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.notify = resolve
    })
  }
}

class Writer implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: Interface,
  ) {}

  static async start(endpoint: string): Promise<Writer> {
    const main = fileURLToPath(new URL('./weights-main.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main, endpoint], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (!child.stdout) throw new Error('its output is a pipe')
    return new Writer(child, createInterface(child.stdout))
  }

  async put(key: string, weight: number): Promise<void> {
    const written = once(this.lines, 'line')
    this.child.stdin?.write(`${key} ${weight}\n`)
    await written
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.child, 'exit')
    this.child.stdin?.end()
    await gone
  }
}
