// A server that registers itself in etcd and, on SIGTERM, leaves without costing its clients a call:
//   node examples/server.js [WEIGHT]
import { fileURLToPath } from 'node:url'
import { loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { register } from 'disco-registry'

const SERVICE = 'hello'

/** Long enough for every client to have heard that this endpoint is drained. */
const DRAIN_MS = 500

const proto = loadSync(fileURLToPath(new URL('hello.proto', import.meta.url)))
const { helloworld } = loadPackageDefinition(proto)

const server = new Server()
server.addService(helloworld.Greeter.service, {
  SayHello: ({ request }, reply) => reply(null, { message: `Hello ${request.name}`, endpoint: addr }),
})
const port = await new Promise((resolve, reject) => {
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error ? reject(error) : resolve(bound),
  )
})
const addr = `127.0.0.1:${port}`

// Registered only now that calls can be answered; held under a lease that is kept alive and taken again when lost.
const weight = Number(process.argv[2] ?? 1)
const id = `server-${process.pid}`
const registration = await register({
  service: SERVICE,
  version: '1.0.0',
  addr,
  weight,
  id,
  ttlSeconds: 5,
})
registration.on('changed', ({ registered }) => console.log(`weight ${registered.weight}`))
console.log(`serving ${SERVICE} at ${addr}, weight ${weight}`)

await new Promise((resolve) => process.once('SIGTERM', resolve))

// Weight 0: clients pick others from now on, and keep their connections. Then out of the registry. Without etcd, the
// lease lapses by itself: an outage must not cost the running calls.
await registration.drain({ graceMs: DRAIN_MS }).then(
  () => console.log('deregistered'),
  ({ message }) => console.warn(message),
)
await new Promise((resolve) => server.tryShutdown(resolve))
console.log('every call was answered')
