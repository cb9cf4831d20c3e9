import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const require = createRequire(import.meta.url)
const PROTO = require.resolve('etcd3/proto/rpc.proto')

/** The copy of proto-loader that etcd3 uses. */
const { loadSync } = createRequire(require.resolve('etcd3'))('@grpc/proto-loader')

/**
 * etcd's API as plain data: the messages as protobufjs reads them from JSON, and each service's methods as proto-loader
 * defines them.
 */
export function etcdDefinition() {
  const root = new protobuf.Root()
  root.loadSync(PROTO, { keepCase: true })
  const definition = loadSync(PROTO, { keepCase: true })
  const services = Object.entries(definition).flatMap(([name, value]) =>
    'format' in value ? [] : [[name, Object.entries(value).map(methodOf(root, name))]],
  )
  return { messages: root.toJSON(), services: Object.fromEntries(services) }
}

function methodOf(root, service) {
  const { methods } = root.lookupService(service)
  return ([name, { path, requestStream, responseStream, originalName }]) => {
    const { resolvedRequestType: request, resolvedResponseType: response } = methods[name].resolve()
    const types = { request: request.fullName, response: response.fullName }
    return { name, path, requestStream, responseStream, originalName, ...types }
  }
}

/**
 * An esbuild plugin that replaces etcd3's .proto file by data. etcd3 reads the file by its path at import, but a bundle
 * does not have it, and parsing takes more time than the rest of etcd3.
 */
export const etcdDefinitionPlugin = {
  name: 'etcd-definition',
  setup(build) {
    const etcd3 = dirname(dirname(PROTO))
    const loader = join(dirname(fileURLToPath(import.meta.url)), 'etcd-proto-loader.cjs')
    build.onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ importer }) =>
      importer.startsWith(etcd3) ? { path: loader } : undefined,
    )
    build.onResolve({ filter: /^etcd-definition$/ }, ({ path }) => ({ path, namespace: 'etcd-definition' }))
    build.onLoad({ filter: /.*/, namespace: 'etcd-definition' }, () => ({
      contents: JSON.stringify(etcdDefinition()),
      loader: 'json',
    }))
  },
}
