import { fileURLToPath } from 'node:url'
import { RealEtcd } from '../support/etcd.js'
import { Writer } from '../support/writer.js'
import { usageOf } from './cost.js'
import { median } from './median.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const ROUNDS = 5
const SIZES = [10, 1_000, 100_000]

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
      for (let round = 0; round < ROUNDS; round++) cpuMs.push((await usageOf([RUN, ...args])).cpuMs)
      console.log(`| ${size} | ${output} | ${median(cpuMs).toFixed(0)} |`)
    }
  }
}
