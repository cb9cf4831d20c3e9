import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from '../proto/health_pb.js'

/** The names of grpc.health.v1's ServingStatus. */
export type ServingStatus = keyof typeof HealthCheckResponse_ServingStatus

export const HEALTH_PATHS = {
  Check: `/${Health.typeName}/${Health.method.check.name}`,
  Watch: `/${Health.typeName}/${Health.method.watch.name}`,
} as const

/** The gRPC service to check; an empty name is the server as a whole. */
export interface HealthCheckRequest {
  readonly service: string
}

/**
 * Serializes requests. A request is an object, because grpc-js's servers treat an empty string as a missing request.
 */
export const healthRequest = {
  encode: ({ service }: HealthCheckRequest): Buffer =>
    Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }))),
  decode: (bytes: Uint8Array): HealthCheckRequest => ({
    service: fromBinary(HealthCheckRequestSchema, bytes).service,
  }),
}

/** Serializes statuses. A number that this version of the protocol does not define is decoded as UNKNOWN. */
export const healthResponse = {
  encode: (status: ServingStatus): Buffer => {
    const response = create(HealthCheckResponseSchema, { status: HealthCheckResponse_ServingStatus[status] })
    return Buffer.from(toBinary(HealthCheckResponseSchema, response))
  },
  decode: (bytes: Uint8Array): ServingStatus => {
    const { status } = fromBinary(HealthCheckResponseSchema, bytes)
    // An enum of proto3 is open: any number can arrive.
    const name: string | undefined = HealthCheckResponse_ServingStatus[status]
    return (name as ServingStatus | undefined) ?? 'UNKNOWN'
  },
}
