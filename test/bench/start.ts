import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { costsByTurns } from './cost.js'
import type { Figure } from './figure.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const ROUNDS = 11

/**
 * What a command costs as a process, beside an empty Node, by turns. `BENCH_NODES` names further Nodes and `BENCH_RUNS`
 * the bin/run.js of other checkouts, each separated by colons.
 */
export async function run(): Promise<void> {
  const nodes = [process.execPath, ...listed(process.env.BENCH_NODES)]
  const runs = [RUN, ...listed(process.env.BENCH_RUNS)]
  const cache = mkdtempSync(join(tmpdir(), 'disco-bench-start-'))
  const dev = await startDev()
  const env = { ...process.env, XDG_CACHE_HOME: cache, DISCO_ENDPOINTS: dev.endpoint }
  const commands = [['--help'], ['ls'], ['call', 'hello', 'SayHello', '--n', '10']]
  console.log('| node | run.js | command | CPU ms | to an empty Node | wall ms | wall to the last run.js |')
  console.log('|---|---|---|---|---|---|---|')
  try {
    for (const node of nodes) {
      const { stdout: version } = await promisify(execFile)(node, ['--version'])
      for (const command of commands) {
        const lines = [['-e', '0'], ...runs.map((file) => [file, ...command])].map((args) => [node, ...args])
        const [floor, ...measured] = await costsByTurns(lines, ROUNDS, env)
        const last = measured.at(-1)
        if (!floor || !last) continue
        for (const [at, times] of [floor, ...measured].entries()) {
          const name = at === 0 ? ['–', '-e 0'] : [String(at), command.join(' ')]
          const cpu = [times.cpuMs.toFixed(0), ratio(times.cpuMs, floor.cpuMs)]
          const wall = [times.wallMs.toFixed(0), ratio(times.wallMs, last.wallMs)]
          console.log(`| ${[version.trim(), ...name, ...cpu, ...wall].join(' | ')} |`)
        }
      }
    }
  } finally {
    dev.stop()
    rmSync(cache, { recursive: true, maxRetries: 5 })
  }
}

const AIMS = [
  { command: ['--help'], aim: 2.2 },
  { command: ['ls'], aim: 4.2 },
  { command: ['call', 'hello', 'SayHello', '--n', '10'], aim: 5.5 },
] as const

/** CPU of commands as multiples of an empty Node's. */
export async function figures(): Promise<Figure[]> {
  const cache = mkdtempSync(join(tmpdir(), 'disco-bench-start-'))
  const dev = await startDev()
  const env = { ...process.env, XDG_CACHE_HOME: cache, DISCO_ENDPOINTS: dev.endpoint }
  try {
    const lines = [['-e', '0'], ...AIMS.map(({ command }) => [RUN, ...command])]
    const costs = await costsByTurns(
      lines.map((args) => [process.execPath, ...args]),
      ROUNDS,
      env,
    )
    const [floor = 0, ...measured] = costs.map(({ cpuMs }) => cpuMs)
    return AIMS.map(({ command, aim }, at) => {
      const cpuMs = measured[at] ?? 0
      const name = `disco ${command.join(' ')}: CPU to an empty Node’s`
      return { name, aim, measured: cpuMs / floor, unit: '×', note: `${cpuMs.toFixed(0)} ms` }
    })
  } finally {
    dev.stop()
    rmSync(cache, { recursive: true, maxRetries: 5 })
  }
}

async function startDev(): Promise<{ endpoint: string; stop(): void }> {
  const child = spawn(process.execPath, [RUN, 'dev', '--port', '0', '--backends', '1,1,1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let endpoint = ''
  for await (const line of createInterface(child.stderr)) {
    endpoint = /registry on ([\d.:]+)/.exec(line)?.[1] ?? endpoint
    if (line.includes('Ctrl-C')) break
  }
  return { endpoint, stop: () => void child.kill('SIGTERM') }
}

function listed(paths = ''): string[] {
  return paths.split(':').filter((path) => path !== '')
}

function ratio(time: number, base: number): string {
  return `${(time / base).toFixed(2)}×`
}
