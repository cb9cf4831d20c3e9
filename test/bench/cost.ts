import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { median } from './median.js'

/** What a command cost, all of its output discarded. */
export interface Cost {
  readonly wallMs: number
  /** User and system time. */
  readonly cpuMs: number
}

/** Real, user and system time in seconds on bash's standard error. */
const TIME = `TIMEFORMAT='%R %U %S'; time "$@" >/dev/null 2>/dev/null`

/** Medians of commands that run by turns. The first round fills caches and is left out. @throws Error when one fails */
export async function costsByTurns(
  commands: readonly (readonly string[])[],
  rounds: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Cost[]> {
  const costs = commands.map((): Cost[] => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [at, command] of commands.entries()) {
      const { stderr } = await promisify(execFile)('bash', ['--norc', '-c', TIME, 'bash', ...command], {
        env,
      })
      const [real = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number)
      if (round > 0) costs[at]?.push({ wallMs: real * 1_000, cpuMs: (user + system) * 1_000 })
    }
  }
  return costs.map((all) => ({
    wallMs: median(all.map(({ wallMs }) => wallMs)),
    cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
  }))
}

/** Has a Node process write its user and system time in µs, and its largest resident memory in KiB, to a pipe. */
const TELL_USAGE = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); writeSync(3, (userCPUTime + systemCPUTime) + " " + maxRSS) })',
)}`

/** CPU time and largest resident memory of one run of Node, without its start. @throws Error when it fails */
export async function usageOf(args: readonly string[]): Promise<{ cpuMs: number; rssMb: number }> {
  const child = spawn(process.execPath, ['--import', TELL_USAGE, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const usage = child.stdio[3]
  if (!usage || !('readable' in usage)) throw new Error('no pipe')
  const [usageText, [code]] = await Promise.all([text(usage), once(child, 'close')])
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  const [cpuUs = 0, maxRssKb = 0] = usageText.split(' ').map(Number)
  return { cpuMs: cpuUs / 1_000, rssMb: (maxRssKb * 1024) / 1e6 }
}
