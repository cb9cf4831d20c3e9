import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Client, connectivityState, credentials } from '@grpc/grpc-js'
import { installPlain } from './plain-channels.js'

/**
 * Many channels to the service `hello`, by the built library of a checkout (tsx names every function, which costs memory). Prints its memory once all channels are READY,
 * and for each line of standard input the CPU time since the line before; ends with its standard input. With the name of a
 * policy as last argument, they are channels of grpc-js alone.
 */
const [, , root = '', endpoint = '', count = '', cache = '', plain = ''] = process.argv
const load = async (path: string) => await import(pathToFileURL(`${root}/dist/${path}`).href)
const { Registry } = (await load('registry/registry.js')) as typeof import('../../src/registry/registry.js')
const { install } = (await load('grpc/install.js')) as typeof import('../../src/grpc/install.js')
const { channelOptions } = (await load(
  'grpc/channel-options.js',
)) as typeof import('../../src/grpc/channel-options.js')

const registry = await Registry.open({
  endpoints: [endpoint],
  cache: cache === '' ? false : { folder: cache },
})
install({ discovery: registry })
if (plain !== '') installPlain(registry, plain)
const [target, options] = plain === '' ? ['etcd:///hello', channelOptions()] : ['plain:hello', {}]
const channels = Array.from({ length: Number(count) }, () =>
  new Client(target, credentials.createInsecure(), options).getChannel(),
)
for (const channel of channels) channel.getConnectivityState(true)
while (channels.some((channel) => channel.getConnectivityState(false) !== connectivityState.READY)) {
  await new Promise((resolve) => setTimeout(resolve, 50))
}
await turn()
globalThis.gc?.()
const { rss, heapUsed, external } = process.memoryUsage()
console.log(JSON.stringify({ rss, heap: heapUsed + external }))
const lines = createInterface(process.stdin)
let last = process.cpuUsage()
lines.on('line', () => {
  const { user, system } = process.cpuUsage(last)
  last = process.cpuUsage()
  console.log(user + system)
})
await once(lines, 'close')
process.exit()
