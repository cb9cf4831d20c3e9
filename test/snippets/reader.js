// What a reader of the docs has already, for `node --import ./reader.js`: a client, a server, and an etcd at the default
// port, which is that of the test (ETCD_PORT) here.
import { Server as NetServer, Socket } from 'node:net'
import { loadPackageDefinition, Server } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const DEFAULT_PORT = 2379

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

const { connect } = Socket.prototype
Socket.prototype.connect = function (...args) {
  const [options] = args.flat()
  if (Number(options?.port) === DEFAULT_PORT) options.port = Number(process.env.ETCD_PORT)
  return connect.apply(this, args)
}

// Snippets name ports, which may be in use here.
const { listen } = NetServer.prototype
NetServer.prototype.listen = function (port, ...args) {
  return listen.call(this, typeof port === 'number' ? 0 : port, ...args)
}
