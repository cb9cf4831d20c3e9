// For `node --require`: notes each connection and each name that is looked up, a line each, in the file CONNECTIONS.
const { appendFileSync } = require('node:fs')
const dgram = require('node:dgram')
const dns = require('node:dns')
const { Socket } = require('node:net')

function note(kind, where) {
  appendFileSync(process.env.CONNECTIONS, `${kind} ${where}\n`)
}

const { connect } = Socket.prototype
Socket.prototype.connect = function (...args) {
  const [options = {}] = args.flat()
  note('connect', options.path ?? `${options.host}:${options.port}`)
  return connect.apply(this, args)
}

for (const [module, names] of [
  [dns, ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveTxt', 'resolveSrv']],
  [dns.promises, ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveTxt', 'resolveSrv']],
]) {
  for (const name of names) {
    const original = module[name]
    module[name] = function (host, ...rest) {
      note('name', host)
      return original.call(this, host, ...rest)
    }
  }
}

const { send } = dgram.Socket.prototype
dgram.Socket.prototype.send = function (...args) {
  note('datagram', String(args))
  return send.apply(this, args)
}
