// Replaces @grpc/proto-loader inside the bundled etcd3: builds the definition of etcd's services from data.
const { Root } = require('protobufjs/light')
const { messages, services } = require('etcd-definition')

exports.loadSync = (_file, options) => {
  const root = Root.fromJSON(messages)
  const serialize = (type) => (message) => {
    const own = root.lookupType(type)
    return own.encode(own.fromObject(message)).finish()
  }
  const deserialize = (type) => (bytes) => {
    const own = root.lookupType(type)
    return own.toObject(own.decode(bytes), options)
  }
  const methodOf = ({ name, request, response, ...facts }) => [
    name,
    Object.assign(facts, {
      requestSerialize: serialize(request),
      requestDeserialize: deserialize(request),
      responseSerialize: serialize(response),
      responseDeserialize: deserialize(response),
    }),
  ]
  return Object.fromEntries(
    Object.entries(services).map(([name, methods]) => [name, Object.fromEntries(methods.map(methodOf))]),
  )
}
