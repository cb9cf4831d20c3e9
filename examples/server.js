// A server that registers itself in etcd and, on SIGTERM, deregisters and shuts down without a failed call:
//   node examples/server.js [WEIGHT]
import { fileURLToPath } from 'node:url'
import { loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { register } from 'disco-registry'

const SERVICE = 'hello'

/** Long enough for every client to receive weight 0. */
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

// Registers after the server can answer calls, under a lease that is kept alive, and replaced when it is lost.
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

// Sets weight 0, so that clients pick other endpoints but keep their connections, and then deregisters. If etcd is
// unreachable, the lease expires by itself, and outstanding calls still get their replies.
await registration.drain({ graceMs: DRAIN_MS }).then(
  () => console.log('deregistered'),
  ({ message }) => console.warn(message),
)
await new Promise((resolve) => server.tryShutdown(resolve))
console.log('every call was answered')
