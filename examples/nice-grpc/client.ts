// A nice-grpc client that finds its servers in etcd and balances by weight, then by a key of each call:
//   npm install && npm run build && npm run client [CALLS]
import { credentials } from '@grpc/grpc-js'
import { Registry } from 'disco-registry'
import { channelOptions, install, setHashKey } from 'disco-registry/grpc'
import { createChannel, createClient, Metadata } from 'nice-grpc'
import { type GreeterClient, GreeterDefinition } from './gen/hello.js'

const calls = Number(process.argv[2] ?? 40)

// nice-grpc creates its channels with @grpc/grpc-js, which resolves etcd: targets from here on.
const registry = await Registry.open()
install({ discovery: registry })

for (const policy of ['weighted_round_robin', 'ring_hash']) {
  const channel = createChannel('etcd:///hello', credentials.createInsecure(), channelOptions({ policy }))
  const client: GreeterClient = createClient(GreeterDefinition, channel)
  const counts: Record<string, number> = {}
  for (let call = 0; call < calls; call++) {
    const metadata = setHashKey(new Metadata(), `user-${call}`)
    const signal = AbortSignal.timeout(5_000)
    const { endpoint } = await client.sayHello({ name: `user-${call}` }, { metadata, signal })
    counts[endpoint] = (counts[endpoint] ?? 0) + 1
  }
  channel.close()
  console.log(policy, JSON.stringify(counts))
}
registry.close()
