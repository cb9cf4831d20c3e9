import { type DescMessage, fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js'
import type { ServingStatus } from '../grpc/health/protocol.js'
import {
  REFLECTION_PACKAGES,
  type ReflectionPackage,
  type ReflectionRequest,
  reflectionMessages,
} from '../grpc/methods/reflection-protocol.js'
import { Health } from './health.js'
import {
  file_dev_proto_greeter,
  Greeter as GreeterService,
  HelloReplySchema,
  HelloRequestSchema,
} from './proto/greeter_pb.js'

export interface GreeterOptions {
  /** 0 for any free port. */
  readonly port: number
  readonly host?: string
  /** The delay of each answer. */
  readonly latencyMs?: number
  /** From 0 to 1: the part of the calls that fail with UNAVAILABLE. */
  readonly errorFraction?: number
  /** Default: plaintext. */
  readonly credentials?: ServerCredentials
  /** The reflection protocols that it serves. Default: both. */
  readonly reflection?: readonly ReflectionPackage[]
  /** Whether it answers grpc.health.v1. Default: true. */
  readonly health?: boolean
  /** Closes each connection by GOAWAY at this age. Default: never. */
  readonly maxConnectionAgeMs?: number
}

/** A sample backend on its own port. */
export interface Greeter {
  readonly addr: string
  /** The number of answered calls, including failed ones. */
  readonly calls: () => number
  /** Sets its answer to grpc.health.v1, which is SERVING at first. */
  setHealth(status: ServingStatus): void
  /** Stops immediately: open calls fail. */
  stop(): void
  /** Refuses new calls and completes open ones. */
  drain(): Promise<void>
}

/** Starts a sample backend: helloworld.Greeter, with reflection and health. */
export async function startGreeter(options: GreeterOptions): Promise<Greeter> {
  const { maxConnectionAgeMs } = options
  const server = new Server(
    maxConnectionAgeMs === undefined ? {} : { 'grpc.max_connection_age_ms': maxConnectionAgeMs },
  )
  const host = options.host ?? '127.0.0.1'
  const credentials = options.credentials ?? ServerCredentials.createInsecure()
  let calls = 0
  let addr = ''
  const greet = (request: JsonObject): JsonObject => ({
    message: `Hello ${request.name ?? ''}`,
    endpoint: addr,
  })
  const codec = unaryCodec(HelloRequestSchema, HelloReplySchema)
  const { typeName, method } = GreeterService
  const path = `/${typeName}/${method.sayHello.name}`
  server.addService(
    { SayHello: { path, requestStream: false, responseStream: false, ...codec } },
    {
      SayHello: (
        call: { request: JsonObject },
        reply: (error: object | null, value?: JsonObject) => void,
      ) => {
        calls++
        const answer = () => {
          if (Math.random() < (options.errorFraction ?? 0)) {
            reply({ code: status.UNAVAILABLE, details: 'an error as configured' })
          } else reply(null, greet(call.request))
        }
        if (options.latencyMs) setTimeout(answer, options.latencyMs)
        else answer()
      },
    },
  )
  for (const pkg of options.reflection ?? REFLECTION_PACKAGES) addReflection(server, pkg)
  const health = options.health === false ? null : new Health(server)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port}`, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  addr = `${host}:${port}`
  return {
    addr,
    calls: () => calls,
    setHealth: (status) => health?.set(status),
    stop: () => server.forceShutdown(),
    drain: () =>
      new Promise((resolve) => {
        health?.close()
        server.tryShutdown(() => resolve())
      }),
  }
}

function addReflection(server: Server, pkg: ReflectionPackage): void {
  const { path, request, response } = reflectionMessages(pkg)
  const file = Buffer.from(toBinary(FileDescriptorProtoSchema, file_dev_proto_greeter.proto)).toString(
    'base64',
  )
  const answerTo = ({
    listServices,
    fileContainingSymbol,
    fileByFilename,
  }: ReflectionRequest): JsonObject => {
    if (listServices !== undefined) {
      return {
        listServicesResponse: {
          service: [{ name: GreeterService.typeName }, { name: `${pkg}.ServerReflection` }],
        },
      }
    }
    if (
      fileContainingSymbol?.startsWith('helloworld.') ||
      fileByFilename === file_dev_proto_greeter.proto.name
    ) {
      return { fileDescriptorResponse: { fileDescriptorProto: [file] } }
    }
    return { errorResponse: { errorCode: status.NOT_FOUND, errorMessage: 'no such symbol or file' } }
  }
  const codec = unaryCodec(request, response)
  server.addService(
    {
      ServerReflectionInfo: { path, requestStream: true, responseStream: true, ...codec },
    } as ServiceDefinition,
    {
      ServerReflectionInfo: (call: NodeJS.ReadWriteStream) => {
        call.on('data', (question: ReflectionRequest) => call.write(answerTo(question) as never))
        call.on('end', () => call.end())
      },
    },
  )
}

function unaryCodec(request: DescMessage, response: DescMessage) {
  return {
    requestSerialize: (json: JsonObject) => Buffer.from(toBinary(request, fromJson(request, json))),
    requestDeserialize: (bytes: Buffer) => toJson(request, fromBinary(request, bytes)) as JsonObject,
    responseSerialize: (json: JsonObject) => Buffer.from(toBinary(response, fromJson(response, json))),
    responseDeserialize: (bytes: Buffer) => toJson(response, fromBinary(response, bytes)) as JsonObject,
  }
}
