import { formatAddress } from '../address.js'
import { type EndpointProblem, notDialled } from '../endpoint.js'
import { defineLayout } from './define.js'
import { Fields, isObject } from './json-fields.js'
import { spliceJson } from './json-splice.js'

/** dubbo-go's default weight. Its clients also use it for weight 0, which dubbo-go stores if no weight is set. */
const MISSING_WEIGHT = 100

/**
 * dubbo-go's etcdv3 service discovery, with one key for each instance of an application:
 * `/services/{app}/{host}:{port}`. The value is JSON with twelve members and a newline.
 */
export const dubboGoApp = defineLayout({
  name: 'dubbo-go-app',
  base: '/services',
  keys: '/services/{app}/{host}:{port}',
  defaultTtlSeconds: 30,
  firstWeight: MISSING_WEIGHT,
  readOnly: "only the framework's customizers can write its metadata",
  claimedBy: 'members',
  ownsBase: true,
  claims: ({ members }) =>
    members !== null && ['ServiceName', 'Host', 'Port'].every((name) => name in members),
  read(value) {
    const fields = Fields.parse(value)
    const port = fields.count('Port')
    const metadata = fields.textMap('Metadata') ?? {}
    return [
      {
        service: fields.text('ServiceName'),
        version: '',
        metadata,
        id: fields.text('ID'),
        addr: formatAddress({ kind: 'tcp', host: fields.text('Host'), port }),
        weight: Math.max(0, fields.integer('Weight')) || MISSING_WEIGHT,
        problem: problemOf(fields, protocolOf(metadata, port)),
        extra: { host: fields.text('Host'), port },
      },
    ]
  },
  key: ([{ service, extra }], base) => `${base}/${service}/${extra?.host}:${extra?.port}`,
  withWeight: (value, weight) => spliceJson(value, [{ field: 'Weight' }], String(weight)),
  hint: ({ weight }) =>
    weight === 0 ? { code: 'zero-is-default', text: "dubbo-go's own clients read weight 0 as 100" } : null,
})

function problemOf(fields: Fields, protocol: string | null): EndpointProblem | null {
  if (!fields.boolean('Enable', true)) return notDialled('is not enabled')
  if (!fields.boolean('Healthy', true)) return notDialled('is marked unhealthy')
  if (protocol === null || protocol === 'tri' || protocol === 'grpc') return null
  return notDialled(`speaks ${protocol}, not gRPC`)
}

/** The protocol of the port, which the metadata may contain as JSON; null if it does not. */
function protocolOf(metadata: Readonly<Record<string, string>>, port: number): string | null {
  try {
    const listeners: unknown = JSON.parse(metadata['dubbo.endpoints'] ?? '[]')
    const own = Array.isArray(listeners)
      ? listeners.find((one) => isObject(one) && one.port === port)
      : undefined
    return typeof own?.protocol === 'string' ? own.protocol : null
  } catch {
    return null
  }
}
