import { create, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ReflectionRequest, reflectionMessages } from '../../src/grpc/methods/reflection-protocol.js'
import type { Etcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const { path, request, response } = reflectionMessages('grpc.reflection.v1')

type Answer = (question: ReflectionRequest) => Uint8Array

const servers: Server[] = []
let etcd: Etcd
let tool: ResidentTool

beforeAll(async () => {
  etcd = await sharedEtcd()
  tool = new ResidentTool(etcd.endpoint)
})
afterAll(async () => {
  for (const server of servers) server.forceShutdown()
  await tool[Symbol.asyncDispose]()
})

/** Starts a server that answers reflection requests with `answer`. @returns its address */
async function lyingServer(answer: Answer): Promise<string> {
  const server = new Server()
  const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value }
  server.addService(
    {
      ServerReflectionInfo: {
        path,
        requestStream: true,
        responseStream: true,
        requestSerialize: bytes.serialize,
        requestDeserialize: bytes.deserialize,
        responseSerialize: bytes.serialize,
        responseDeserialize: bytes.deserialize,
      },
    },
    {
      ServerReflectionInfo: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (sent: Buffer) => {
          call.write(Buffer.from(answer(toJson(request, fromBinary(request, sent)) as ReflectionRequest)))
        })
        call.on('end', () => call.end())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  servers.push(server)
  return `127.0.0.1:${port}`
}

const encoded = (json: JsonValue) => toBinary(response, fromJson(response, json))
const listed = (...names: string[]) =>
  encoded({ listServicesResponse: { service: names.map((name) => ({ name })) } })
const described = (...files: Uint8Array[]) =>
  encoded({
    fileDescriptorResponse: {
      fileDescriptorProto: files.map((file) => Buffer.from(file).toString('base64')),
    },
  })
const file = (init: Partial<FileDescriptorProto> | object) =>
  toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, init as object))

/** Answers with one service, described by these files. */
function withFiles(...files: Uint8Array[]): Answer {
  return (question) => ('listServices' in question ? listed('p.S') : described(...files))
}

const METHOD = { name: 'Do', inputType: '.p.A', outputType: '.p.A' }
const RIGHT = {
  name: 'a.proto',
  package: 'p',
  syntax: 'proto3',
  messageType: [{ name: 'A' }],
  service: [{ name: 'S', method: [METHOD] }],
}

test.each<[what: string, answer: Answer, why: string]>([
  ['bytes that are not an answer', () => Buffer.from([0xff, 0xff, 0xff]), 'Server reflection failed at'],
  ['bytes that are not a file', withFiles(Buffer.from('garbage')), 'sends invalid descriptors'],
  [
    'a service with a bad name',
    withFiles(file({ ...RIGHT, service: [{ name: 'S \u001b[31m', method: [METHOD] }] })),
    'a service is named "S \\u001b[31m"',
  ],
  [
    'a method with a bad name',
    withFiles(file({ ...RIGHT, service: [{ name: 'S', method: [{ ...METHOD, name: 'a/b' }] }] })),
    'a method is named "a/b"',
  ],
  [
    'a listed service with a bad name',
    (question) => ('listServices' in question ? listed('p/S') : described(file(RIGHT))),
    'a service is named "p/S"',
  ],
  ['a type that does not exist', withFiles(file({ ...RIGHT, messageType: [] })), 'sends invalid descriptors'],
  [
    'files that import each other',
    withFiles(
      file({ ...RIGHT, dependency: ['b.proto'], messageType: [] }),
      file({ name: 'b.proto', package: 'p', dependency: ['a.proto'] }),
    ),
    'sends invalid descriptors',
  ],
  [
    'an enum without values',
    withFiles(file({ ...RIGHT, enumType: [{ name: 'E' }] })),
    'the enum E has no values',
  ],
  [
    'thousands of names without files',
    (question) =>
      'listServices' in question
        ? listed(...Array.from({ length: 3_000 }, (_, index) => `p.S${index}`))
        : encoded({ errorResponse: { errorCode: 5, errorMessage: 'no' } }),
    'lists 3000 services and describes none',
  ],
])(
  'reflection with %s is reported as a failure of the server with exit code 7',
  async (what, answer, why) => {
    const service = what.replaceAll(' ', '-')
    const addr = await lyingServer(answer)
    await etcd.ctl('put', ...registration(service, addr))
    for (const method of [['Do'], []]) {
      const { code, stdout, stderr } = await tool.run('call', service, ...method)
      expect(code, stderr).toBe(7)
      expect(stdout).toBe('')
      expect(stderr).toContain(addr)
      expect(stderr).toContain(why)
      expect(stderr).toContain('--proto')
    }
  },
)
