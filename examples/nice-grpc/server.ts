// A nice-grpc server that registers itself in etcd and, on SIGTERM, deregisters and shuts down without a failed call:
//   npm install && npm run build && npm run server [WEIGHT [PORT]]
import { once } from 'node:events'
import { register } from 'disco-registry'
import { createServer } from 'nice-grpc'
import { GreeterDefinition, type GreeterServiceImplementation } from './gen/hello.js'

/** Long enough for every client to receive weight 0. */
const DRAIN_MS = 500

const greeter: GreeterServiceImplementation = {
  async sayHello({ name }) {
    return { message: `Hello ${name}`, endpoint: addr }
  },
}
const server = createServer()
server.add(GreeterDefinition, greeter)
const addr = `127.0.0.1:${await server.listen(`127.0.0.1:${process.argv[3] ?? 0}`)}`

// Registers after the server can answer calls. DISCO_ENDPOINTS or ETCDCTL_ENDPOINTS name the members of etcd.
const weight = Number(process.argv[2] ?? 1)
const registration = await register({ service: 'hello', version: '1.0.0', addr, weight, ttlSeconds: 5 })
console.log(`serving hello at ${addr}, weight ${weight}`)

await once(process, 'SIGTERM')
// If etcd is unreachable, this rejects, and the lease expires by itself. Outstanding calls still get their replies.
await registration.drain({ graceMs: DRAIN_MS }).catch(({ message }) => console.warn(message))
await server.shutdown()
console.log('every call was answered')
