// What a reader of the docs has already, for `node --import ./reader.js`: a client, a server, and etcd (network.js).
import { loadPackageDefinition, Server } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import './network.js'

/** The clients that the snippet has made. */
export const clients = []

const { Greeter } = loadPackageDefinition(loadSync('hello.proto')).helloworld
globalThis.Greeter = class extends Greeter {
  constructor(...args) {
    super(...args)
    clients.push(this)
  }
}
globalThis.server = new Server()
