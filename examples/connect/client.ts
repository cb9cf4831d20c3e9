// A Connect client that finds its servers in etcd and balances by each of two policies:
//   npm install && npm run build && npm run client [CALLS]
import { createClient, createContextValues } from '@connectrpc/connect'
import { Registry } from 'disco-registry'
import { findPolicy, NO_KEYS } from 'disco-registry/policies'
import { Greeter } from './gen/hello_pb.js'
import { callKeys, registryTransport } from './transport.js'

const calls = Number(process.argv[2] ?? 40)
const registry = await Registry.open()

for (const name of ['weighted_round_robin', 'ring_hash']) {
  const stop = new AbortController()
  const policy = findPolicy(name).configure({})
  const client = createClient(Greeter, registryTransport(registry, 'hello', policy, stop.signal))
  const counts: Record<string, number> = {}
  for (let call = 0; call < calls; call++) {
    const contextValues = createContextValues().set(callKeys, { ...NO_KEYS, hashKey: `user-${call}` })
    const { endpoint } = await client.sayHello({ name: `user-${call}` }, { contextValues, timeoutMs: 5_000 })
    counts[endpoint] = (counts[endpoint] ?? 0) + 1
  }
  stop.abort()
  console.log(name, JSON.stringify(counts))
}
registry.close()
