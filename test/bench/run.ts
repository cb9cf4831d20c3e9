import { FIGURE_HEADS, type Figure, figureLine } from './figure.js'

/** A bench prints a table of its own, or has figures beside their aims, or both. */
interface Bench {
  run?(): Promise<void>
  figures?(): Promise<readonly Figure[]>
}

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  start: () => import('./start.js'),
  'dev-start': () => import('./dev-start.js'),
  lists: () => import('./lists.js'),
  watch: () => import('./watch.js'),
  channels: () => import('./channels.js'),
  propagation: () => import('./propagation.js'),
  pick: () => import('./pick.js'),
  channel: () => import('./channel.js'),
  connect: () => import('./connect.js'),
  cache: () => import('./cache.js'),
  etcd: () => import('./etcd.js'),
  'grpc-proxy': () => import('./grpc-proxy.js'),
  scale: () => import('./scale.js'),
  plot: () => import('./plot.js'),
  ls: () => import('./ls.js'),
  call: () => import('./call.js'),
  rate: () => import('./rate.js'),
  'call-memory': () => import('./call-memory.js'),
  'call-report': () => import('./call-report.js'),
  dev: () => import('./dev.js'),
  gaps: () => import('./gaps.js'),
  proxy: () => import('./proxy.js'),
}

/**
 * `npm run bench -- NAME` runs test/bench/NAME.ts; without a name, the figures of all benches that have aims, in one
 * table. Benches only print; none of them is a test.
 */
const [name] = process.argv.slice(2)
const chosen = name === undefined ? Object.values(benches) : [benches[name]]
if (chosen.includes(undefined)) {
  console.error(`Usage: npm run bench [-- ${Object.keys(benches).join(' | ')}]`)
  process.exitCode = 2
} else {
  const startedMs = performance.now()
  let heads = `${FIGURE_HEADS}\n`
  for (const load of chosen) {
    const bench = await load?.()
    if (name !== undefined && bench?.run) await bench.run()
    else if (bench?.figures) {
      for (const figure of await bench.figures()) {
        console.log(`${heads}${figureLine(figure)}`)
        heads = ''
      }
    }
  }
  console.error(`${((performance.now() - startedMs) / 1_000).toFixed(0)} s`)
}
