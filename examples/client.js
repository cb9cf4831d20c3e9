// A client that finds its servers in etcd, and balances among them by several policies in turn:
//   node examples/client.js [CALLS]
import { fileURLToPath } from 'node:url'
import { credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { Registry } from 'disco-registry'
import { channelOptions, install, setHashKey } from 'disco-registry/grpc'

const calls = Number(process.argv[2] ?? 40)
const proto = loadSync(fileURLToPath(new URL('hello.proto', import.meta.url)))
const { helloworld } = loadPackageDefinition(proto)

// To be called once in a program: from here on grpc-js resolves etcd: targets, and knows disco's policies.
// DISCO_ENDPOINTS or ETCDCTL_ENDPOINTS name the members of etcd.
const registry = await Registry.open()
install({ discovery: registry })

const policies = [
  { policy: 'weighted_round_robin' },
  { policy: 'round_robin' },
  { policy: 'random' },
  { policy: 'weighted_random' },
  { policy: 'least_request' },
  { policy: 'least_request', parameters: { choiceCount: 2 } },
  // Calls with the same key go to the same endpoint; `sayHello` gives each call a key of its own.
  { policy: 'ring_hash' },
  { policy: 'source_hash' },
  { policy: 'pick_first' },
  // Calls go to the endpoint with this id; while it is not READY, to the others by weight.
  { policy: 'pinned', parameters: { to: 'server-1', fallback: { weighted_round_robin: {} } } },
]

for (const settings of policies) {
  const client = new helloworld.Greeter(
    'etcd:///hello',
    credentials.createInsecure(),
    channelOptions({ ...settings, health: true }),
  )
  const counts = {}
  for (let call = 0; call < calls; call++) {
    const { endpoint } = await sayHello(client, `user-${call}`)
    counts[endpoint] = (counts[endpoint] ?? 0) + 1
  }
  client.close()
  console.log(settings.policy, JSON.stringify(settings.parameters ?? {}), JSON.stringify(counts))
}
registry.close()

/** Makes one call, with a deadline, and with its own hash key for the policies that hash. */
function sayHello(client, name) {
  const metadata = setHashKey(new Metadata(), name)
  const options = { deadline: Date.now() + 5_000 }
  return new Promise((resolve, reject) => {
    client.SayHello({ name }, metadata, options, (error, reply) => (error ? reject(error) : resolve(reply)))
  })
}
