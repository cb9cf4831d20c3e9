import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Figure } from './figure.js'
import { median } from './median.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const ROUNDS = 9

/** How long `disco dev` takes to serve, beside `disco --help`, by turns in one run. */
export async function figures(): Promise<Figure[]> {
  const help: number[] = []
  const serving: number[] = []
  const registered: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    help.push(await timeOf(['--help'], (child) => once(child, 'exit')))
    const dev = ['dev', '--port', '0']
    serving.push(await timeOf(dev, (child) => printed(child, 'registry on')))
    registered.push(await timeOf(dev, (child) => printed(child, 'Ctrl-C ends it')))
  }
  const floor = median(help)
  const figure = (until: string, aim: number | null, times: readonly number[]): Figure => {
    const note = `${median(times).toFixed(0)} ms`
    return { name: `disco dev: ${until}, to --help`, aim, measured: median(times) / floor, unit: '×', note }
  }
  return [
    figure('the registry serves', 2.5, serving),
    figure('five backends are registered', null, registered),
  ]
}

async function timeOf(args: string[], done: (child: ChildProcess) => Promise<unknown>): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, [RUN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'close')
  await done(child)
  const elapsedMs = performance.now() - start
  child.kill('SIGTERM')
  await exited
  return elapsedMs
}

function printed(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes(words)) resolve()
    })
    child.once('exit', () => reject(new Error(`disco ended before it printed "${words}": ${text}`)))
  })
}
