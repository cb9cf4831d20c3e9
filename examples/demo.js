// The tour of `npm run demo`: runs against the registry that `disco dev` started, which DISCO_ENDPOINTS names.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const disco = fileURLToPath(new URL('../bin/run.js', import.meta.url))

function show(...args) {
  console.log(`\n$ disco ${args.join(' ')}`)
  execFileSync(process.execPath, [disco, ...args], { stdio: 'inherit' })
}

const listed = execFileSync(process.execPath, [disco, 'ls', 'hello', '--json'], { encoding: 'utf8' })
const byWeight = JSON.parse(listed).endpoints.sort((a, b) => a.weight - b.weight)
const [light, heavy] = [byWeight.at(0).addr, byWeight.at(-1).addr]

show('ls')
show('ls', 'hello')
show('call', 'hello', 'SayHello', '-d', '{"name":"abc"}')
show('call', 'hello', 'SayHello', '--n', '10', '--policy', 'round_robin')
show('call', 'hello', 'SayHello', '--n', '10', '--policy', 'weighted_round_robin')
show('call', 'hello', 'SayHello', '--n', '1400')

const { DISCO_PROXY: proxy } = process.env
if (proxy !== undefined) {
  console.log(
    '\n# A client in any language calls the proxy, which follows the same weights. Here over one connection:',
  )
  console.log(`$ disco call ${proxy} SayHello --n 140 -o ndjson`)
  const args = [disco, 'call', proxy, 'SayHello', '--n', '140', '-o', 'ndjson']
  const lines = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const counts = new Map(byWeight.map(({ addr }) => [addr, 0]))
  for (const line of lines.trim().split('\n')) {
    const { endpoint } = JSON.parse(line).reply
    counts.set(endpoint, counts.get(endpoint) + 1)
  }
  const counted = [...counts].map((pair) => pair.join('=')).join()
  show(
    'verdict',
    '--counts',
    counted,
    '--weights',
    byWeight.map(({ addr, weight }) => `${addr}=${weight}`).join(),
  )
}

console.log('\n$ disco watch hello -o table &')
const watch = spawn(process.execPath, [disco, 'watch', 'hello', '-o', 'table'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
let events = ''
watch.stdout.setEncoding('utf8').on('data', (text) => {
  events += text
})
while (!events.includes('synced')) await delay(20)

console.log('\n# A weight changes and an endpoint is removed while calls run:')
const run = spawn(process.execPath, [disco, 'call', 'hello', 'SayHello', '--n', '4000'], { stdio: 'inherit' })
const ended = once(run, 'exit')
await delay(1_000)
execFileSync(process.execPath, [disco, 'weight', 'hello', heavy, '2'], { stdio: 'ignore' })
execFileSync(process.execPath, [disco, 'unregister', 'hello', light], { stdio: 'ignore' })
const [code] = await ended
if (code !== 0) process.exit(code ?? 1)

for (let waits = 0; waits < 500 && !events.includes('- gone'); waits++) await delay(20)
watch.kill('SIGINT')
await once(watch, 'close')
console.log(`\n# The events that watch printed meanwhile:\n${events}`)
show('ls', 'hello')
