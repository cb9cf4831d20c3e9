// A client and a server that use the library, for the bundlers: node program.js server|client
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import { Registry, register } from 'disco-registry'
import { channelOptions, install } from 'disco-registry/grpc'

const endpoints = [process.env.DISCO_ENDPOINTS]
const bytes = (value) => Buffer.from(value)
const method = {
  path: '/echo.Echo/Echo',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
}

async function serve() {
  const server = new Server()
  server.addService({ Echo: method }, { Echo: ({ request }, reply) => reply(null, request) })
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  const registration = await register({ endpoints, service: 'echo', addr: `127.0.0.1:${port}` })
  console.log('registered')
  await new Promise((resolve) => process.once('SIGTERM', resolve))
  await registration.drain({ graceMs: 100 })
  await new Promise((resolve) => server.tryShutdown(resolve))
  console.log('drained')
}

async function call() {
  const registry = await Registry.open({ endpoints, cache: false })
  install({ discovery: registry })
  const client = new Client('etcd:///echo', credentials.createInsecure(), channelOptions())
  const options = { deadline: Date.now() + 20_000 }
  const reply = await new Promise((resolve, reject) =>
    client.makeUnaryRequest(method.path, bytes, String, 'hello', options, (error, value) =>
      error ? reject(error) : resolve(value),
    ),
  )
  console.log(reply)
  client.close()
  registry.close()
}

if (process.argv[2] === 'server') serve()
else call()
