import { type DescMessage, fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf'
import { describeSchema, registryOf } from '../methods/schema.js'

const PACKAGE = 'grpc.health.v1'

/** grpc.health.v1's ServingStatus, by its numbers. */
export const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const

export type ServingStatus = (typeof SERVING_STATUS)[number]

export const HEALTH_PATHS = { Check: `/${PACKAGE}.Health/Check`, Watch: `/${PACKAGE}.Health/Watch` } as const

// An enum is an int32 on the wire.
const registry = registryOf(
  describeSchema({
    package: PACKAGE,
    messages: {
      HealthCheckRequest: [{ name: 'service', number: 1, type: 'string' }],
      HealthCheckResponse: [{ name: 'status', number: 1, type: 'int32' }],
    },
  }),
)

/** The service that is asked about; an empty name is the server as a whole. */
export interface HealthQuestion {
  readonly service: string
}

/** An object, because grpc-js's servers take an empty text for no request at all. */
export const healthRequest = {
  encode: ({ service }: HealthQuestion): Buffer => encode('HealthCheckRequest', { service }),
  decode: (bytes: Uint8Array): HealthQuestion => ({
    service: String(decode('HealthCheckRequest', bytes).service ?? ''),
  }),
}

/** A status as bytes. One that this version of the protocol does not know counts as UNKNOWN. */
export const healthResponse = {
  encode: (status: ServingStatus): Buffer =>
    encode('HealthCheckResponse', { status: SERVING_STATUS.indexOf(status) }),
  decode: (bytes: Uint8Array): ServingStatus =>
    SERVING_STATUS[Number(decode('HealthCheckResponse', bytes).status ?? 0)] ?? 'UNKNOWN',
}

function encode(message: string, json: JsonObject): Buffer {
  const schema = schemaOf(message)
  return Buffer.from(toBinary(schema, fromJson(schema, json)))
}

function decode(message: string, bytes: Uint8Array): JsonObject {
  const schema = schemaOf(message)
  return toJson(schema, fromBinary(schema, bytes)) as JsonObject
}

function schemaOf(message: string): DescMessage {
  const schema = registry.getMessage(`${PACKAGE}.${message}`)
  if (!schema) throw new Error(`${PACKAGE} lacks ${message}`)
  return schema
}
