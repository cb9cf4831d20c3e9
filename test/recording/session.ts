import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Pane } from './pane.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
/** Fits the table of `disco call`, and the README's column. */
const COLUMNS = 108
const ROWS = { work: 24, other: 9 }
/** For reading what a command printed. */
const READING_MS = 1_500

export interface Session {
  readonly panes: readonly [work: Pane, other: Pane]
  readonly endMs: number
  /** What was typed, as far as it ran the tool. */
  readonly commands: readonly string[]
}

/**
 * Runs the commands of the recording on two terminals, against the registry of `disco dev`.
 *
 * @param signal ends it early: it rejects once all that it started has ended
 */
export async function recordSession(signal: AbortSignal): Promise<Session> {
  const home = mkdtempSync(join(tmpdir(), 'disco-recording-'))
  symlinkSync(RUN, join(home, 'disco'))
  const path = [home, process.env.PATH ?? ''].join(delimiter)
  const folders = { HOME: home, XDG_CACHE_HOME: join(home, '.cache'), XDG_CONFIG_HOME: join(home, '.config') }
  const all = { PATH: path, LANG: 'C.UTF-8', ...folders }
  const startMs = performance.now()
  const nowMs = () => performance.now() - startMs
  const work = new Pane(COLUMNS, ROWS.work, all, nowMs)
  const other = new Pane(COLUMNS, ROWS.other, all, nowMs)
  try {
    await Promise.race([play(work, other, all), once(signal, 'abort')])
    signal.throwIfAborted()
    const commands = [...other.typed.splice(0, 1), ...work.typed, ...other.typed]
    return { panes: [work, other], endMs: nowMs(), commands }
  } finally {
    await Promise.all([work.close(), other.close()])
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

async function play(work: Pane, other: Pane, env: Readonly<Record<string, string>>): Promise<void> {
  for (const pane of [work, other]) await pane.shows(/^\$$/)
  await other.run('disco dev 2> dev.log &')
  await untilServed(env)
  const heavy = await heaviest(env)
  await work.run('disco ls hello')
  await delay(READING_MS)
  await work.run('disco call hello SayHello --n 140')
  await delay(2 * READING_MS)
  await work.type('disco watch hello')
  await work.shows(/live$/m)
  await delay(READING_MS)
  await other.run(`disco weight hello ${heavy} 2`)
  await delay(READING_MS)
  await other.run(`disco drain hello ${heavy} --grace 2s`)
  await work.shows(/gone/)
  await delay(READING_MS)
}

async function endpoints(env: Readonly<Record<string, string>>): Promise<{ addr: string; weight: number }[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, 'ls', 'hello', '--json'], { env })
  return (JSON.parse(stdout) as { endpoints: { addr: string; weight: number }[] }).endpoints
}

async function untilServed(env: Readonly<Record<string, string>>): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const found = await endpoints(env).catch(() => [])
    if (found.length === 5) return
    await delay(200)
  }
  throw new Error('disco dev has no five backends: is its port 2379 in use?')
}

async function heaviest(env: Readonly<Record<string, string>>): Promise<string> {
  const [first] = (await endpoints(env)).toSorted((a, b) => b.weight - a.weight)
  if (!first) throw new Error('no endpoint')
  return first.addr
}
