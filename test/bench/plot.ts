import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { RealEtcd } from '../support/etcd.js'
import { Writer } from '../support/writer.js'
import { connected } from './connect.js'
import { usageOf } from './cost.js'
import { pickCost } from './pick.js'
import { resolverUpdateCost } from './resolver-update.js'
import { logPlot, type Series } from './svg-plot.js'
import { watchCost } from './watch.js'

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const FILE = fileURLToPath(new URL('../../docs/scale.svg', import.meta.url))
const SIZES = [10, 100, 1_000, 10_000, 100_000]

/** A process may have 20,000 files open: beyond that no machine of ours connects. */
const MAX_CONNECTED = 10_000

/** Cost from 10 to 100,000 endpoints as a table, and as docs/scale.svg: all in microseconds of CPU. */
export async function run(): Promise<void> {
  const series: Series[] = [
    await measured('ls, a process', lsCost),
    await measured('watch, a change', watchCost),
    await measured('resolver, an update', async (size) => (await resolverUpdateCost(size)) * 1_000),
    await measured('pick', async (size) => pickCost(size) / 1_000),
    await measured('connect, an endpoint', connectCost),
  ]
  console.log(`| | ${SIZES.map((size) => size.toLocaleString('en')).join(' | ')} |`)
  console.log(`|---|${SIZES.map(() => '---').join('|')}|`)
  for (const { name, points } of series) {
    const cells = SIZES.map((size) => {
      const cost = points.find(([at]) => at === size)?.[1]
      return cost === undefined ? '–' : `${Number(cost.toPrecision(3)).toLocaleString('en')} µs`
    })
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
  writeFileSync(FILE, logPlot('CPU by the number of endpoints', series, { x: 'endpoints', y: 'µs' }))
}

async function measured(name: string, cost: (size: number) => Promise<number | null>): Promise<Series> {
  const points: [number, number][] = []
  for (const size of SIZES) {
    const value = await cost(size)
    if (value !== null) points.push([size, value])
  }
  return { name, points }
}

async function lsCost(size: number): Promise<number> {
  await using etcd = await RealEtcd.start()
  using writer = new Writer(etcd.endpoint, 'hello')
  await writer.fill(size)
  const args = [RUN, 'ls', 'hello', '--layout', 'seed', '--endpoints', etcd.endpoint]
  await usageOf(args)
  return (await usageOf(args)).cpuMs * 1_000
}

async function connectCost(size: number): Promise<number | null> {
  if (size > MAX_CONNECTED) return null
  return ((await connected(size)).connectCpuMs * 1_000) / size
}
