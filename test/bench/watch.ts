import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { RealEtcd } from '../support/etcd.js'
import { Writer } from '../support/writer.js'
import type { Figure } from './figure.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const SIZES = [10, 1_000, 5_000, 10_000]
const CHANGES = 20_000
const PER_SECOND = 10_000
const SINGLE_PUTS_IN_FLIGHT = 64
/** Of the kernel's clock for CPU times (Linux). */
const TICK_US = 10_000

interface Mode {
  readonly name: string
  readonly perTransaction: number
}

const MODES: readonly Mode[] = [
  { name: 'single puts', perTransaction: 1 },
  { name: '10 a transaction', perTransaction: 10 },
]

interface Measured {
  readonly cpuUsPerChange: number
  readonly writtenPerSecond: number
  readonly lagMs: number
  readonly lost: number
}

/**
 * CPU of `disco watch SERVICE -o ndjson | cat >FILE` for each changed endpoint, by the number of endpoints.
 * Batches are written at 10,000 changes a second, single puts as fast as etcd takes them. `BENCH_RUNS` names the
 * bin/run.js of other checkouts, separated by colons, which are measured by turns.
 */
export async function run(): Promise<void> {
  const others = (process.env.BENCH_RUNS ?? '').split(':').filter((path) => path !== '')
  console.log(
    '| run.js | writes | endpoints | CPU per change | ratio to 10 endpoints | written/s | lag at the end | lost |',
  )
  console.log('|---|---|---|---|---|---|---|---|')
  for (const mode of MODES) {
    const first = new Map<number, number>()
    for (const size of SIZES) {
      for (const [at, tool] of [RUN, ...others].entries()) {
        const { cpuUsPerChange: us, writtenPerSecond, lagMs, lost } = await measure(tool, mode, size)
        const base = first.get(at) ?? us
        first.set(at, base)
        const cells = [at, mode.name, size, `${us.toFixed(0)} µs`, (us / base).toFixed(2)]
        console.log(
          `| ${[...cells, writtenPerSecond.toFixed(0), `${lagMs.toFixed(0)} ms`, lost].join(' | ')} |`,
        )
      }
    }
  }
}

/** At 5,000 endpoints, in both ways of writing. */
export async function figures(): Promise<Figure[]> {
  const measured: Figure[] = []
  for (const mode of MODES) {
    const { cpuUsPerChange, writtenPerSecond, lagMs, lost } = await measure(RUN, mode, 5_000)
    if (lost !== 0) throw new Error(`${lost} changes were lost`)
    const name = `watch at 5,000 endpoints, ${mode.name}: CPU a change`
    const note = `${writtenPerSecond.toFixed(0)} changes/s, ${lagMs.toFixed(0)} ms behind at the end`
    measured.push({ name, aim: 100, measured: cpuUsPerChange, unit: 'µs', note })
  }
  return measured
}

/** CPU of the tool for each change at so many endpoints, ten changes a transaction, in µs. */
export async function watchCost(size: number): Promise<number> {
  const mode = MODES.find(({ perTransaction }) => perTransaction > 1)
  if (!mode) throw new Error('one mode has several changes a transaction')
  return (await measure(RUN, mode, size)).cpuUsPerChange
}

async function measure(tool: string, mode: Mode, size: number): Promise<Measured> {
  await using etcd = await RealEtcd.start()
  using writer = new Writer(etcd.endpoint, 'hello')
  await writer.fill(size)
  const folder = mkdtempSync(join(tmpdir(), 'disco-bench-watch-'))
  const file = join(folder, 'events')
  const fd = openSync(file, 'w')
  const reader = spawn('cat', { stdio: ['pipe', fd, 'inherit'] })
  closeSync(fd)
  const args = ['watch', 'hello', '-o', 'ndjson', '--layout', 'seed', '--endpoints', etcd.endpoint]
  const watch = spawn(process.execPath, [tool, ...args], { stdio: ['ignore', reader.stdin, 'inherit'] })
  try {
    while (statSync(file).size === 0) await sleep(20)
    const cpuUs = cpuOf(watch)
    const startedMs = performance.now()
    await write(writer, mode, size)
    const writtenMs = performance.now()
    const end = `"to":${CHANGES + 1}`
    while (!readFileSync(file, 'utf8').includes(end) && performance.now() < writtenMs + 60_000)
      await sleep(20)
    const lagMs = performance.now() - writtenMs
    const cpuUsPerChange = (cpuOf(watch) - cpuUs) / CHANGES
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const writtenPerSecond = (CHANGES / (writtenMs - startedMs)) * 1_000
    return { cpuUsPerChange, writtenPerSecond, lagMs, lost: CHANGES + 1 - lines.length }
  } finally {
    const gone = once(watch, 'exit')
    watch.kill('SIGKILL')
    await gone
    reader.kill('SIGKILL')
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
}

/** Every change gives an endpoint a weight that no other change gives; the last one stands alone. */
async function write(writer: Writer, { perTransaction }: Mode, size: number): Promise<void> {
  let written = 0
  if (perTransaction === 1) {
    const worker = async () => {
      while (written < CHANGES - 1) {
        written++
        await writer.put(written % size, written + 1)
      }
    }
    await Promise.all(Array.from({ length: SINGLE_PUTS_IN_FLIGHT }, worker))
    await writer.put(0, CHANGES + 1)
    return
  }
  const startedMs = performance.now()
  const waiting: Promise<number>[] = []
  while (written < CHANGES - perTransaction) {
    const ports = Array.from({ length: perTransaction }, (_, at) => (written + at) % size)
    written += perTransaction
    waiting.push(writer.putTogether(ports, written + 1))
    const aheadMs = startedMs + (written / PER_SECOND) * 1_000 - performance.now()
    if (aheadMs > 1) await sleep(aheadMs)
  }
  await Promise.all(waiting)
  const rest = Array.from({ length: CHANGES - written - 1 }, (_, at) => (written + at) % size)
  await writer.putTogether(rest, CHANGES)
  await writer.put(CHANGES % size, CHANGES + 1)
}

/** User and system time of a process, in µs. */
function cpuOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}
