import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf'
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import { describeSchema, registryOf } from '../grpc/schema.js'

const PACKAGE = 'grpc.health.v1'

/** grpc.health.v1's ServingStatus; an enum is an int32 on the wire. */
const SERVING = 1

type Answer = { status: number }

/** Answers grpc.health.v1, Check and Watch, with SERVING for as long as the server runs. */
export function addHealth(server: Server): void {
  const registry = registryOf(
    describeSchema({
      package: PACKAGE,
      messages: {
        HealthCheckRequest: [{ name: 'service', number: 1, type: 'string' }],
        HealthCheckResponse: [{ name: 'status', number: 1, type: 'int32' }],
      },
    }),
  )
  const request = registry.getMessage(`${PACKAGE}.HealthCheckRequest`)
  const response = registry.getMessage(`${PACKAGE}.HealthCheckResponse`)
  if (!request || !response) throw new Error('the health schema lacks a message')
  const method = (name: string, responseStream: boolean) => ({
    path: `/${PACKAGE}.Health/${name}`,
    ...{ requestStream: false, responseStream },
    requestSerialize: (json: object) => Buffer.from(toBinary(request, fromJson(request, json as never))),
    requestDeserialize: (bytes: Buffer) => toJson(request, fromBinary(request, bytes)) as object,
    responseSerialize: (json: Answer) => Buffer.from(toBinary(response, fromJson(response, json))),
    responseDeserialize: (bytes: Buffer) => toJson(response, fromBinary(response, bytes)) as Answer,
  })
  server.addService(
    { Check: method('Check', false), Watch: method('Watch', true) },
    {
      Check: (_: ServerUnaryCall<object, Answer>, reply: sendUnaryData<Answer>) =>
        reply(null, { status: SERVING }),
      // A watch stays open: its end would mean that nothing is known.
      Watch: (call: ServerWritableStream<object, Answer>) => call.write({ status: SERVING }),
    },
  )
}
