import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf'
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  SourceCodeInfoSchema,
} from '@bufbuild/protobuf/wkt'
import {
  Metadata as GrpcMetadata,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import {
  type ReflectionPackage,
  type ReflectionRequest,
  reflectionMessages,
} from '../../src/grpc/methods/reflection-protocol.js'
import { protoc } from './protoc.js'

const SERVICE = 'everything.Echo'

/** Descriptor set of everything.proto and its imports, as written by protoc. */
export function everythingProtoset(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'disco-protoset-'))
  try {
    protoc(['--include_imports', '-o', join(folder, 'set.bin'), 'everything.proto'])
    return readFileSync(join(folder, 'set.bin'))
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
}

export interface EchoServer extends AsyncDisposable {
  readonly addr: string
}

/**
 * The Echo service of everything.proto. Its methods return the request once, three times, only the last request, or
 * each request. One fails with the google.rpc.Status in the header `x-details-bin`, if present. Request headers that
 * start with `x-` are returned as headers, and with the suffix `-too` as trailers.
 */
export async function startEchoServer(
  reflection: readonly ReflectionPackage[],
  /** Size of the comments in everything.proto, and the authorization that reflection requires. */
  { commentBytes = 0, token = null as string | null } = {},
): Promise<EchoServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  const same = (bytes: Buffer) => bytes
  const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
    path: `/${SERVICE}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  })
  const definition = {
    One: method('One', false, false),
    Down: method('Down', false, true),
    Up: method('Up', true, false),
    Both: method('Both', true, true),
  }
  server.addService(definition, {
    One: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
      const [details] = call.metadata.get('x-details-bin')
      if (details !== undefined) {
        const metadata = new GrpcMetadata()
        metadata.set('grpc-status-details-bin', details)
        reply({ code: status.INVALID_ARGUMENT, details: 'refused', metadata })
        return
      }
      const headers = echoed(call.metadata, '')
      headers.set('x-authority', call.getHost())
      call.sendMetadata(headers)
      reply(null, call.request, echoed(call.metadata, '-too'))
    },
    Down: (call: ServerWritableStream<Buffer, Buffer>) => {
      for (let times = 0; times < 3; times++) call.write(call.request)
      call.end()
    },
    Up: (call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
      let last: Buffer = Buffer.of()
      call.on('data', (bytes: Buffer) => {
        last = bytes
      })
      call.on('end', () => reply(null, last))
    },
    Both: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (bytes: Buffer) => call.write(bytes))
      call.on('end', () => call.end())
    },
  })
  for (const pkg of reflection) addReflection(server, pkg, 'x'.repeat(commentBytes), token)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return {
    addr: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  }
}

function echoed(metadata: Metadata, suffix: string): Metadata {
  const back = new GrpcMetadata()
  for (const name of Object.keys(metadata.getMap()).filter((name) => name.startsWith('x-'))) {
    const echoName = name.endsWith('-bin') ? name.replace(/-bin$/, `${suffix}-bin`) : name + suffix
    for (const value of metadata.get(name)) back.add(echoName, value)
  }
  return back
}

/** Returns one file at a time, like Go servers. A client has to request the imports of a file separately. */
function addReflection(
  server: Server,
  pkg: ReflectionPackage,
  leadingComments: string,
  token: string | null,
): void {
  const { path, request, response } = reflectionMessages(pkg)
  const { file: files } = fromBinary(FileDescriptorSetSchema, everythingProtoset())
  const answerTo = ({ listServices, fileContainingSymbol, fileByFilename }: ReflectionRequest): object => {
    if (listServices !== undefined) return { listServicesResponse: { service: [{ name: SERVICE }] } }
    const wanted = fileContainingSymbol === SERVICE ? 'everything.proto' : fileByFilename
    const file = files.find(({ name }) => name === wanted)
    if (!file) return { errorResponse: { errorCode: 5, errorMessage: 'no such file or symbol' } }
    const sourceCodeInfo = create(SourceCodeInfoSchema, { location: [{ leadingComments }] })
    const commented = wanted === 'everything.proto' ? { ...file, sourceCodeInfo } : file
    const bytes = Buffer.from(toBinary(FileDescriptorProtoSchema, commented)).toString('base64')
    return { fileDescriptorResponse: { fileDescriptorProto: [bytes] } }
  }
  server.addService(
    {
      ServerReflectionInfo: {
        path,
        requestStream: true,
        responseStream: true,
        requestSerialize: (json: object) => Buffer.from(toBinary(request, fromJson(request, json as never))),
        requestDeserialize: (bytes: Buffer) => toJson(request, fromBinary(request, bytes)) as object,
        responseSerialize: (json: object) =>
          Buffer.from(toBinary(response, fromJson(response, json as never))),
        responseDeserialize: (bytes: Buffer) => toJson(response, fromBinary(response, bytes)) as object,
      },
    },
    {
      ServerReflectionInfo: (call: ServerDuplexStream<ReflectionRequest, object>) => {
        if (token !== null && call.metadata.get('authorization')[0] !== token) {
          call.emit('error', { code: status.UNAUTHENTICATED, details: 'no token' })
          return
        }
        call.on('data', (question: ReflectionRequest) => call.write(answerTo(question)))
        call.on('end', () => call.end())
      },
    },
  )
}
