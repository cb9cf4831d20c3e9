import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { RealEtcd } from '../support/etcd.js'
import { Writer } from '../support/writer.js'
import { median } from './median.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const ROUNDS = 5
const SIZES = [10, 1_000, 100_000]

/** Makes a process tell its user and system time, in µs, on a pipe of its own. */
const TELL_CPU = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => { const { user, system } = process.cpuUsage(); writeSync(3, String(user + system)) })',
)}`

/** What a list costs as a whole process, by its length and by how it is printed. */
export async function run(): Promise<void> {
  await using etcd = await RealEtcd.start()
  for (const size of SIZES) {
    using writer = new Writer(etcd.endpoint, `of-${size}`)
    await writer.fill(size)
  }
  console.log('| endpoints | -o | CPU ms |\n|---|---|---|')
  for (const size of SIZES) {
    for (const output of ['json', 'ndjson', 'name', 'table']) {
      const args = ['ls', `of-${size}`, '-o', output, '--layout', 'seed', '--endpoints', etcd.endpoint]
      const cpuMs: number[] = []
      for (let round = 0; round < ROUNDS; round++) cpuMs.push(await cpuOf(args))
      console.log(`| ${size} | ${output} | ${median(cpuMs).toFixed(0)} |`)
    }
  }
}

async function cpuOf(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--import', TELL_CPU, RUN, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const told = child.stdio[3]
  if (!told || !('readable' in told)) throw new Error('no pipe')
  const [us, [code]] = await Promise.all([text(told), once(child, 'close')])
  if (code !== 0) throw new Error(`disco ${args.join(' ')} ended with ${code}`)
  return Number(us) / 1000
}
