import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Figure } from './figure.js'

const COUNTS = [1_000, 2_000, 4_000, 10_000]
/** A process may have 20,000 files open, and each server takes two: one to listen, one for the connection. */
const PROCESSES = 3

interface Connected {
  readonly ready: number
  readonly ok: number
  /** Endpoints that got exactly one of as many calls. */
  readonly called: number
  readonly connectMs: number
  /** User and system time of the client meanwhile. */
  readonly connectCpuMs: number
  readonly rssMb: number
}

const SERVERS = new URL('./connect-servers-main.ts', import.meta.url)
const CLIENT = new URL('./connect-client-main.ts', import.meta.url)

function start(file: URL, ...args: string[]): ChildProcess {
  const main = fileURLToPath(file)
  return spawn(process.execPath, ['--import', 'tsx', main, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('its output is a pipe')
  const [line] = (await once(createInterface(stdout), 'line')) as [string]
  return line
}

export async function connected(count: number): Promise<Connected> {
  const servers = Array.from({ length: PROCESSES }, (_, at) =>
    start(SERVERS, String(Math.floor((count + at) / PROCESSES))),
  )
  try {
    const addrs = await Promise.all(servers.map(firstLine))
    const client = start(CLIENT)
    client.stdin?.end(addrs.join(' '))
    return JSON.parse(await firstLine(client)) as Connected
  } finally {
    for (const server of servers) server.stdin?.end()
  }
}

/** How long it takes until all endpoints of a service are READY, and what the client then holds in memory. */
export async function run(): Promise<void> {
  console.log('| endpoints | READY | called once each | connect | per endpoint | ratio to the first | RSS |')
  console.log('|---|---|---|---|---|---|---|')
  let first = 0
  for (const count of COUNTS) {
    const { ready, called, connectMs, rssMb } = await connected(count)
    const perEndpointUs = (connectMs * 1000) / count
    first ||= perEndpointUs
    const cells = [
      count,
      ready,
      called,
      `${(connectMs / 1000).toFixed(2)} s`,
      `${perEndpointUs.toFixed(0)} µs`,
      (perEndpointUs / first).toFixed(2),
      `${rssMb.toFixed(0)} MB`,
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

/** 10,000 endpoints beside 1,000. */
export async function figures(): Promise<Figure[]> {
  const few = await connected(1_000)
  const many = await connected(10_000)
  const name = 'connect to 10,000 endpoints'
  return [
    {
      name: `${name}: time an endpoint, to that of 1,000`,
      aim: 1.5,
      measured: many.connectMs / few.connectMs / 10,
      unit: '×',
      note: `${(many.connectMs / 1_000).toFixed(2)} s`,
    },
    { name: `${name}: RSS`, aim: null, measured: many.rssMb, unit: 'MiB' },
  ]
}
