// A server that registers itself, and records the events of its registration as OpenTelemetry metrics:
//   npm install && npm run build && npm run server [WEIGHT [PORT]]
import { once } from 'node:events'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { metrics } from '@opentelemetry/api'
import { register } from 'disco-registry'

/** Long enough for every client to receive weight 0. */
const DRAIN_MS = 500

interface Reply {
  readonly message: string
  readonly endpoint: string
}

const { helloworld } = loadPackageDefinition(loadSync('../hello.proto')) as unknown as {
  helloworld: { Greeter: ServiceClientConstructor }
}
const server = new Server()
server.addService(helloworld.Greeter.service, {
  SayHello: ({ request }: ServerUnaryCall<{ name: string }, Reply>, reply: sendUnaryData<Reply>) =>
    reply(null, { message: `Hello ${request.name}`, endpoint: addr }),
})
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync(`127.0.0.1:${process.argv[3] ?? 0}`, ServerCredentials.createInsecure(), (error, bound) =>
    error ? reject(error) : resolve(bound),
  )
})
const addr = `127.0.0.1:${port}`

const weight = Number(process.argv[2] ?? 1)
const registration = await register({ service: 'hello', version: '1.0.0', addr, weight, ttlSeconds: 5 })

// Needs an SDK and its exporters, set up as in client.ts. Without them, these metrics have no effect.
const meter = metrics.getMeter('disco-registry')
const outages = meter.createCounter('disco.registration.outages', { description: 'etcd did not answer' })
const losses = meter.createCounter('disco.registration.losses', { description: 'The lease has ended' })
const current = meter.createGauge('disco.registration.weight')
current.record(weight)
registration.on('trouble', () => outages.add(1))
registration.on('leaseLost', () => losses.add(1))
registration.on('changed', ({ registered }) => current.record(registered.weight))
console.log(`serving hello at ${addr}, weight ${weight}`)

await once(process, 'SIGTERM')
// If etcd is unreachable, this rejects, and the lease expires by itself. Outstanding calls still get their replies.
await registration.drain({ graceMs: DRAIN_MS }).catch(({ message }) => console.warn(message))
await new Promise((resolve) => server.tryShutdown(resolve))
console.log('every call was answered')
