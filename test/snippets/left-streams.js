// A caller of the Connect example's transport that leaves a stream early, and one that gives up before there is an endpoint.
// Copied into the example's folder, since its packages are only there.
import { ConnectError } from '@connectrpc/connect'
import { Registry } from 'disco-registry'
import { findPolicy } from 'disco-registry/policies'
import { Greeter } from './gen/hello_pb.js'
import { registryTransport } from './transport.js'

const registry = await Registry.open()
const stop = new AbortController()
const transportOf = (service) =>
  registryTransport(registry, service, findPolicy('round_robin').configure({}), stop.signal)
const names = async function* () {
  yield { name: 'x' }
}

const transport = transportOf('streams')
const method = { ...Greeter.method.sayHello, methodKind: 'server_streaming' }
const leaving = new AbortController()
const left = await transport.stream(method, leaving.signal, undefined, undefined, names())
for await (const _ of left.message) break
leaving.abort()
const timed = await transport.stream(method, undefined, 3_000, undefined, names())
for await (const _ of timed.message) break

const givenUp = AbortSignal.timeout(200)
const error = await transportOf('nobody')
  .unary(Greeter.method.sayHello, givenUp, undefined, undefined, { name: 'x' })
  .catch((error) => error)
console.log(`left both streams; given up: ${error instanceof ConnectError ? error.message : error}`)
process.once('SIGTERM', () => {
  stop.abort()
  registry.close()
})
