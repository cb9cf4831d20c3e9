// A Connect server (Connect, gRPC and gRPC-web over HTTP/2) that registers itself in etcd and, on SIGTERM, deregisters
// and shuts down without a failed call:
//   npm install && npm run build && npm run server [WEIGHT [PORT]]
import { once } from 'node:events'
import { createServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { register } from 'disco-registry'
import { Greeter } from './gen/hello_pb.js'

/** Long enough for every client to receive weight 0. */
const DRAIN_MS = 500

const sessions = new Set<ServerHttp2Session>()
const server = createServer(
  connectNodeAdapter({
    routes: ({ service }) =>
      service(Greeter, {
        sayHello: ({ name }) => ({ message: `Hello ${name}`, endpoint: addr }),
      }),
  }),
)
server.on('session', (session) => {
  sessions.add(session)
  session.once('close', () => sessions.delete(session))
})
server.listen(Number(process.argv[3] ?? 0), '127.0.0.1')
await once(server, 'listening')
const addr = `127.0.0.1:${(server.address() as AddressInfo).port}`

// Registers after the server can answer calls. DISCO_ENDPOINTS or ETCDCTL_ENDPOINTS name the members of etcd.
const weight = Number(process.argv[2] ?? 1)
const registration = await register({ service: 'hello', version: '1.0.0', addr, weight, ttlSeconds: 5 })
console.log(`serving hello at ${addr}, weight ${weight}`)

await once(process, 'SIGTERM')
// If etcd is unreachable, this rejects, and the lease expires by itself. Outstanding calls still get their replies.
await registration.drain({ graceMs: DRAIN_MS }).catch(({ message }) => console.warn(message))
// Each session closes after its last call.
for (const session of sessions) session.close()
server.close()
await once(server, 'close')
console.log('every call was answered')
