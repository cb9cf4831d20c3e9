import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { type Client, type ServiceError, status } from '@grpc/grpc-js'
import { DiscoError } from '../../domain/errors.js'
import { type Headers, metadataOf } from '../headers.js'
import { checkFullName, checkNames } from './check-names.js'
import {
  REFLECTION_PACKAGES,
  type ReflectionMessages,
  type ReflectionQuestion,
  reflectionMessages,
} from './reflection-protocol.js'

/** What one server says of itself. */
export interface Reflected {
  readonly files: readonly FileDescriptorProto[]
  /** Full names, without reflection's own. */
  readonly services: readonly string[]
  /** Which protocol answered, and where, as a sentence for messages. */
  readonly source: string
  /** Address of the server. */
  readonly peer: string
}

export interface Answer {
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto?: readonly string[] }
  readonly listServicesResponse?: { readonly service?: readonly { readonly name: string }[] }
  readonly errorResponse?: { readonly errorCode?: number; readonly errorMessage?: string }
}

/**
 * Asks one of the service's servers for all its services and their files: reflection v1, then v1alpha.
 *
 * @throws DiscoError RPC_FAILED when the server has no reflection, or does not answer by the deadline;
 *   INTERRUPTED
 */
export async function reflect(
  client: Client,
  deadlineMs: number,
  signal: AbortSignal = new AbortController().signal,
  headers: Headers = [],
): Promise<Reflected> {
  let asked = ''
  for (const pkg of REFLECTION_PACKAGES) {
    const stream = new ReflectionStream(client, reflectionMessages(pkg), deadlineMs, headers)
    const interrupt = () => stream.close()
    signal.addEventListener('abort', interrupt)
    try {
      const ask = (question: ReflectionQuestion) => stream.ask(question)
      return await readReflected(ask, pkg.slice(pkg.lastIndexOf('.') + 1), () => stream.peer)
    } catch (error) {
      const { code, details } = error as ServiceError
      asked = stream.peer
      if (code === status.UNIMPLEMENTED) continue
      if (signal.aborted)
        throw new DiscoError('INTERRUPTED', 'Interrupted while a server was asked for its methods')
      if (error instanceof DiscoError) throw error
      if (code === undefined) throw unreadable(stream.peer, error)
      const isHung = code === status.DEADLINE_EXCEEDED
      const what = isHung
        ? `${stream.peer} did not answer server reflection within ${deadlineMs / 1000}s`
        : `Server reflection failed at ${stream.peer}: ${status[code] ?? 'UNKNOWN'}: ${details}`
      throw new DiscoError('RPC_FAILED', what, {
        cause: error,
        suggestions: [
          ...(isHung ? ['The stage that hung: reflect'] : []),
          'Without reflection: --proto FILE or --protoset FILE',
        ],
      })
    } finally {
      signal.removeEventListener('abort', interrupt)
      stream.close()
    }
  }
  throw new DiscoError('RPC_FAILED', `The server at ${asked} has no reflection, neither v1 nor v1alpha`, {
    suggestions: ['Describe the method by its file: --proto FILE [--import-path DIR], or --protoset FILE'],
  })
}

/** The error for a server whose description of itself is not one. @param cause what says why, in its message */
export function unreadable(peer: string, cause: unknown): DiscoError {
  const { message } = cause as Error
  return new DiscoError('RPC_FAILED', `The server at ${peer} describes its methods wrongly: ${message}`, {
    cause,
    suggestions: ['Without reflection: --proto FILE or --protoset FILE'],
  })
}

/**
 * Asks for all services, and for their files and those that they import.
 *
 * @param ask one question, as protobuf's JSON
 * @param peer of the server, for messages
 * @throws DiscoError RPC_FAILED where it describes none of its services; Error for what is not a description; what
 *   `ask` throws
 */
export async function readReflected(
  ask: (question: ReflectionQuestion) => Promise<Answer>,
  version: string,
  peer: () => string,
): Promise<Reflected> {
  const listed = await ask({ listServices: '*' })
  const services = (listed.listServicesResponse?.service ?? [])
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('grpc.reflection.'))
  const files = new Map<string, FileDescriptorProto>()
  for (const service of services) keep(files, await ask({ fileContainingSymbol: service }))
  for (let missing = missingFiles(files); missing.length > 0; missing = missingFiles(files)) {
    const before = files.size
    for (const name of missing) keep(files, await ask({ fileByFilename: name }))
    if (files.size === before) break
  }
  if (files.size === 0 && services.length > 0) {
    throw new DiscoError(
      'RPC_FAILED',
      `The server at ${peer()} lists ${services.length} services and describes none`,
      {
        suggestions: ['Without reflection: --proto FILE or --protoset FILE'],
      },
    )
  }
  checkNames([...files.values()])
  for (const service of services) checkFullName('service', service)
  return {
    files: [...files.values()],
    services,
    peer: peer(),
    source: `Asked by reflection ${version} at ${peer()}; without reflection use --proto`,
  }
}

function missingFiles(files: ReadonlyMap<string, FileDescriptorProto>): string[] {
  const wanted = new Set([...files.values()].flatMap((file) => file.dependency))
  return [...wanted].filter((name) => !files.has(name))
}

function keep(files: Map<string, FileDescriptorProto>, answer: Answer): void {
  for (const base64 of answer.fileDescriptorResponse?.fileDescriptorProto ?? []) {
    const file = fromBinary(FileDescriptorProtoSchema, Buffer.from(base64, 'base64'))
    files.set(file.name, file)
  }
}

/** One question at a time over one stream, so that all answers are one server's. */
class ReflectionStream {
  private readonly call
  private readonly answers: AsyncIterator<Answer>

  constructor(
    client: Client,
    private readonly messages: ReflectionMessages,
    deadlineMs: number,
    headers: Headers,
  ) {
    this.call = client.makeBidiStreamRequest<object, Answer>(
      messages.path,
      (question) => Buffer.from(toBinary(messages.request, fromJson(messages.request, question as never))),
      (bytes) => toJson(messages.response, fromBinary(messages.response, bytes)) as Answer,
      metadataOf(headers),
      { deadline: Date.now() + deadlineMs },
    )
    this.call.on('error', () => undefined)
    this.answers = this.call[Symbol.asyncIterator]() as AsyncIterator<Answer>
  }

  get peer(): string {
    return this.call.getPeer()
  }

  /** An answer without the thing that was asked for is an answer too: a file that the server lacks. */
  async ask(question: object): Promise<Answer> {
    this.call.write(question)
    const answer = await this.answers.next()
    if (answer.done) throw new DiscoError('RPC_FAILED', `${this.messages.path} ended without an answer`)
    return answer.value
  }

  close(): void {
    this.call.end()
    this.call.cancel()
  }
}
