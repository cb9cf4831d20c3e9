import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../support/ports.js'
import type { Figure } from './figure.js'
import { median } from './median.js'
import { disco, haproxy, nginx, type Peer } from './proxy-peers.js'

const BACKENDS = 2
const ROUNDS = 7
const IN_FLIGHT = 64
const CALLS = 4_000
const CALLS_ALONE = 400
const WARM_UP_CALLS = 3_000
const STREAMS = 1_000

const HEADERS = { ':method': 'POST', ':path': '/bench.Echo/Echo', 'content-type': 'application/grpc' }
/** A message of eleven bytes. */
const MESSAGE = Buffer.concat([Buffer.from([0, 0, 0, 0, 11]), Buffer.from('hello world')])

/** /proc counts CPU time in ticks of this length on every Linux that Node supports. */
const TICK_MS = 10

/** `disco proxy` beside nginx and haproxy, each with one thread, by turns: one connection of a caller. */
export async function figures(): Promise<Figure[]> {
  await using site = await Site.start()
  const peers = [await site.peer(disco), await site.peer(nginx), await site.peer(haproxy)]
  const direct = await connected(site.backends[0] ?? '')
  const alone = new Map(peers.map((peer) => [peer, [] as number[]]))
  const directMs: number[] = []
  for (const { session } of peers) await callMany(session, WARM_UP_CALLS, IN_FLIGHT)
  await callMany(direct, WARM_UP_CALLS, IN_FLIGHT)
  for (let round = 0; round < ROUNDS; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      await peer.measure()
      alone.get(peer)?.push(median(await callMany(peer.session, CALLS_ALONE, 1)))
    }
    directMs.push(median(await callMany(direct, CALLS_ALONE, 1)))
  }
  const [own, byNginx, byHaproxy] = peers.map(({ cpuMicros }) => median(cpuMicros))
  const added = peers.map((peer) => median(alone.get(peer) ?? []) - median(directMs))
  const rssMb = await peers[0]?.rssOfStreams()
  direct.destroy()
  const spread = peers[0]?.cpuMicros.map((micros) => micros.toFixed(0)).join(' ')
  const cpu = `CPU a call, ${IN_FLIGHT} in flight`
  return [
    figure(
      `proxy: ${cpu}, to nginx's`,
      3,
      (own ?? 0) / (byNginx ?? 1),
      '×',
      `${own?.toFixed(0)} and ${byNginx?.toFixed(0)} µs`,
    ),
    figure(
      `proxy: ${cpu}, to haproxy's`,
      null,
      (own ?? 0) / (byHaproxy ?? 1),
      '×',
      `${byHaproxy?.toFixed(0)} µs; own rounds: ${spread}`,
    ),
    figure(
      'proxy: added p50, 1 in flight',
      0.5,
      added[0] ?? 0,
      'ms',
      `nginx ${added[1]?.toFixed(2)}, haproxy ${added[2]?.toFixed(2)}`,
    ),
    figure(`proxy: RSS with ${STREAMS} open streams`, 150, rssMb ?? 0, 'MB', ''),
  ]
}

function figure(name: string, aim: number | null, measured: number, unit: string, note: string): Figure {
  return { name, aim, measured, unit, note }
}

/** One proxy under measurement. */
class Measured {
  /** One figure a round. */
  readonly cpuMicros: number[] = []

  constructor(
    private readonly pid: number,
    readonly session: ClientHttp2Session,
  ) {}

  async measure(): Promise<void> {
    const before = this.cpuMs
    await callMany(this.session, CALLS, IN_FLIGHT)
    this.cpuMicros.push(((this.cpuMs - before) * 1_000) / CALLS)
  }

  async rssOfStreams(): Promise<number> {
    const streams = await Promise.all(Array.from({ length: STREAMS }, () => openStream(this.session)))
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? []
    for (const stream of streams) stream.destroy()
    return (Number(kilobytes) * 1_024) / 1e6
  }

  /** User and system time of the process and its children: nginx works in one. */
  private get cpuMs(): number {
    const pids = [this.pid, ...childrenOf(this.pid)]
    return pids.reduce((sum, pid) => sum + cpuOf(pid), 0)
  }
}

class Site implements AsyncDisposable {
  private readonly children: ChildProcess[] = []
  private readonly folder = mkdtempSync(join(tmpdir(), 'disco-bench-'))
  backends: readonly string[] = []

  static async start(): Promise<Site> {
    const site = new Site()
    site.backends = await Promise.all(Array.from({ length: BACKENDS }, () => site.backend()))
    return site
  }

  async peer({ name, start }: Peer): Promise<Measured> {
    const [port = 0] = await freePorts(1)
    const child = start(port, this.backends, join(this.folder, name.split(' ')[0] ?? name))
    this.children.push(child)
    const address = `127.0.0.1:${port}`
    for (let tries = 0; !(await accepts(port)); tries++) {
      if (tries > 200 || child.exitCode !== null) throw new Error(`${name} did not start`)
      await delay(50)
    }
    return new Measured(child.pid ?? 0, await connected(address))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.children) {
      const gone = child.exitCode === null ? once(child, 'exit') : null
      child.kill('SIGKILL')
      for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL')
      await gone
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  private async backend(): Promise<string> {
    const main = fileURLToPath(new URL('./proxy-backend-main.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.children.push(child)
    const [addr] = (await once(createInterface(child.stdout), 'line')) as [string]
    return addr
  }
}

async function connected(address: string): Promise<ClientHttp2Session> {
  const session = connect(`http://${address}`)
  session.on('error', () => undefined)
  await once(session, 'remoteSettings')
  return session
}

/** So many calls, so many at a time; their times in milliseconds. @throws Error where one fails */
async function callMany(session: ClientHttp2Session, calls: number, inFlight: number): Promise<number[]> {
  const times: number[] = []
  let started = 0
  const worker = async () => {
    while (started++ < calls) {
      const startMs = performance.now()
      await call(session)
      times.push(performance.now() - startMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return times
}

function call(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...HEADERS, te: 'trailers' })
    let status: unknown
    stream.on('response', (headers) => {
      status = headers['grpc-status']
    })
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status']
    })
    stream.on('error', reject)
    stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`grpc-status ${status}`))))
    stream.resume()
    stream.end(MESSAGE)
  })
}

/** A call that has had one message each way, and goes on. */
async function openStream(session: ClientHttp2Session): Promise<ClientHttp2Stream> {
  const stream = session.request({ ...HEADERS, te: 'trailers' })
  stream.on('error', () => undefined)
  stream.write(MESSAGE)
  await once(stream, 'data')
  return stream
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    // It has ended.
    return []
  }
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Behind the command in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user = 0, system = 0] = [fields[11], fields[12]].map(Number)
  return (user + system) * TICK_MS
}
