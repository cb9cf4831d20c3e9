import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  create,
  type DescMessage,
  fromBinary,
  fromJson,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import {
  type ReflectionPackage,
  type ReflectionRequest,
  reflectionMessages,
} from '../../src/grpc/methods/reflection-protocol.js'
import { protoc } from './protoc.js'

/** The descriptor set that protoc makes of these files, with their imports. @param sources by file name */
export function compiledSet(sources: Readonly<Record<string, string>>): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'disco-protos-'))
  try {
    for (const [name, source] of Object.entries(sources)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), source)
    }
    const set = join(folder, 'set.bin')
    protoc(['-I', folder, '--include_imports', '-o', set, ...Object.keys(sources)])
    return readFileSync(set)
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
}

export function compiled(sources: Readonly<Record<string, string>>): FileDescriptorProto[] {
  return fromBinary(FileDescriptorSetSchema, compiledSet(sources)).file
}

/** The files that a server describes, and its way of answering. */
export interface ReflectionTraits {
  readonly packages?: readonly ReflectionPackage[]
  readonly files: readonly FileDescriptorProto[]
  readonly services: readonly string[]
  /** Whether the server closes the stream after its first answer. */
  readonly closesEarly?: boolean
  /** Answers are withheld until this many requests have arrived, not counting requests for the list of services. */
  readonly holdsBack?: number
}

/** A server with reflection that returns one file per request, and with the given methods. */
export class ReflectingServer implements AsyncDisposable {
  /** All reflection requests in order. */
  readonly questions: ReflectionRequest[] = []
  private readonly server = new Server()
  addr = ''

  constructor(private readonly traits: ReflectionTraits) {
    for (const pkg of traits.packages ?? ['grpc.reflection.v1' as const]) this.addReflection(pkg)
  }

  /** @param handle receives the server’s call, and for unary methods the callback; messages are bytes */
  method(
    path: string,
    { requestStream, responseStream }: { requestStream: boolean; responseStream: boolean },
    handle: UntypedServiceImplementation[string],
  ): this {
    const same = (bytes: Buffer) => bytes
    const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same }
    const definition = { path, requestStream, responseStream, ...codec, responseDeserialize: same }
    this.server.addService({ method: definition }, { method: handle })
    return this
  }

  async start(): Promise<this> {
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
    this.addr = `127.0.0.1:${port}`
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.forceShutdown()
  }

  private addReflection(pkg: ReflectionPackage): void {
    const { path, request, response } = reflectionMessages(pkg)
    const { holdsBack = 0, closesEarly = false } = this.traits
    const held: (() => void)[] = []
    const handle = (call: ServerDuplexStream<Buffer, Buffer>) => {
      let isClosed = false
      call.on('data', (bytes: Buffer) => {
        const question = toJson(request, fromBinary(request, bytes)) as ReflectionRequest
        this.questions.push(question)
        const answer = () => {
          if (isClosed) return
          call.write(Buffer.from(toBinary(response, this.answerTo(question, response))))
          isClosed = closesEarly
          if (closesEarly) call.end()
        }
        if (question.listServices !== undefined || held.length >= holdsBack) return answer()
        held.push(answer)
        if (held.length === holdsBack) for (const give of held) give()
      })
      call.on('end', () => {
        if (!isClosed) call.end()
      })
    }
    this.method(path, { requestStream: true, responseStream: true }, handle as never)
  }

  private answerTo(question: ReflectionRequest, response: DescMessage): Message {
    const { services } = this.traits
    if (question.listServices !== undefined) {
      const service = services.map((name) => ({ name }))
      return fromJson(response, { listServicesResponse: { service } })
    }
    const file = this.traits.files.find((file) => isAbout(question, file))
    if (!file) return fromJson(response, { errorResponse: { errorCode: 5, errorMessage: 'not found' } })
    // Not through JSON, which is slow for megabytes.
    const value = { fileDescriptorProto: [toBinary(FileDescriptorProtoSchema, file)] }
    return create(response, { messageResponse: { case: 'fileDescriptorResponse', value } } as never)
  }
}

function isAbout(question: ReflectionRequest, file: FileDescriptorProto): boolean {
  const { fileByFilename, fileContainingSymbol, fileContainingExtension } = question
  if (fileByFilename !== undefined) return file.name === fileByFilename
  const full = (name: string) => (file.package === '' ? name : `${file.package}.${name}`)
  if (fileContainingExtension) {
    const { containingType, extensionNumber } = fileContainingExtension
    return file.extension.some(
      ({ extendee, number }) => extendee === `.${containingType}` && number === extensionNumber,
    )
  }
  return [...file.service, ...file.messageType, ...file.enumType, ...file.extension].some(
    ({ name }) => full(name) === fileContainingSymbol,
  )
}
