import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { median } from './median.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const ROUNDS = 9

/** How long `disco dev` takes to serve, beside `disco --help`, by turns in one run. */
export async function run(): Promise<void> {
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
  const line = (what: string, ms: number) => `| ${what} | ${ms.toFixed(0)} | ${(ms / floor).toFixed(2)}× |`
  console.log('| until | median ms | to --help |\n|---|---|---|')
  console.log(line('disco --help ends', floor))
  console.log(line('disco dev: the registry serves', median(serving)))
  console.log(line('disco dev: five backends are registered', median(registered)))
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
