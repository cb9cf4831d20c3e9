// The network of the docs, for `node --import ./network.js`: etcd at the default port of any host is that of the test
// (ETCD_PORT), and a port to listen at, which may be in use here, is any free one.
import { Server, Socket } from 'node:net'

const DEFAULT_PORT = 2379

const { connect } = Socket.prototype
Socket.prototype.connect = function (...args) {
  const [options] = args.flat()
  if (Number(options?.port) === DEFAULT_PORT) {
    options.host = '127.0.0.1'
    options.port = Number(process.env.ETCD_PORT)
  }
  return connect.apply(this, args)
}

const { listen } = Server.prototype
Server.prototype.listen = function (where, ...args) {
  if (typeof where === 'number') return listen.call(this, 0, ...args)
  return listen.call(this, typeof where === 'object' ? { ...where, port: 0 } : where, ...args)
}
