/** `npm run bench -- NAME`: runs test/bench/NAME.ts. Benches only print; none of them is a test. */
const [name] = process.argv.slice(2)
const benches: Readonly<Record<string, () => Promise<{ run(): Promise<void> }>>> = {
  call: () => import('./call.js'),
  rate: () => import('./rate.js'),
  'call-memory': () => import('./call-memory.js'),
  dev: () => import('./dev.js'),
  'dev-start': () => import('./dev-start.js'),
  ls: () => import('./ls.js'),
  lists: () => import('./lists.js'),
  start: () => import('./start.js'),
  pick: () => import('./pick.js'),
  gaps: () => import('./gaps.js'),
  channel: () => import('./channel.js'),
  connect: () => import('./connect.js'),
  watch: () => import('./watch.js'),
  channels: () => import('./channels.js'),
  cache: () => import('./cache.js'),
  propagation: () => import('./propagation.js'),
}
const bench = benches[name ?? '']
if (bench === undefined) {
  console.error(`Usage: npm run bench -- ${Object.keys(benches).join(' | ')}`)
  process.exitCode = 2
} else await (await bench()).run()
