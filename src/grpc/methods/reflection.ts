import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { type Client, type ServiceError, status } from '@grpc/grpc-js'
import { DiscoError } from '../../domain/errors.js'
import type { Headers } from '../protocol.js'
import { checkFullName, checkNames } from './check-names.js'
import { ReflectedFiles, type SendRequest } from './reflected-files.js'
import { ReflectionCalls } from './reflection-calls.js'
import {
  REFLECTION_PACKAGES,
  type ReflectionPackage,
  type ReflectionRequest,
  reflectionMessages,
} from './reflection-protocol.js'

/** The services and file descriptors of one server. */
export interface ReflectedSchema {
  readonly files: readonly FileDescriptorProto[]
  /** Full names of the services, without the reflection services. */
  readonly services: readonly string[]
  /** The version of reflection and the address of the server, as a sentence for messages. */
  readonly source: string
  /** Address of the server. */
  readonly peer: string
}

/**
 * Requests all services of one server, and their file descriptors, by reflection v1, or v1alpha if the server does not
 * implement v1. The channel of `client` picks the server.
 *
 * @param deadlineMs time limit for each of the two versions
 * @throws DiscoError RPC_FAILED if the server has no reflection, does not answer by the deadline, or sends invalid
 *   descriptors; INTERRUPTED when `signal` aborts
 */
export async function reflect(
  client: Client,
  deadlineMs: number,
  signal: AbortSignal = new AbortController().signal,
  headers: Headers = [],
): Promise<ReflectedSchema> {
  let asked = ''
  for (const pkg of REFLECTION_PACKAGES) {
    using calls = new ReflectionCalls(client, reflectionMessages(pkg), deadlineMs, headers)
    const interrupt = () => calls[Symbol.dispose]()
    signal.addEventListener('abort', interrupt)
    try {
      return await readReflected(calls.ask, pkg, () => calls.peer)
    } catch (error) {
      const { code, details } = error as ServiceError
      asked = calls.peer
      if (code === status.UNIMPLEMENTED) continue
      if (signal.aborted)
        throw new DiscoError('INTERRUPTED', 'Interrupted while a server was asked for its methods')
      if (error instanceof DiscoError) throw error
      if (code === undefined) throw unreadable(calls.peer, error)
      const isHung = code === status.DEADLINE_EXCEEDED
      const what = isHung
        ? `${calls.peer} did not answer server reflection within ${deadlineMs / 1000}s`
        : `Server reflection failed at ${calls.peer}: ${status[code] ?? 'UNKNOWN'}: ${details}`
      throw new DiscoError('RPC_FAILED', what, {
        cause: error,
        suggestions: [
          ...(isHung ? ['The stage that hung: reflect'] : []),
          'Without reflection: --proto FILE or --protoset FILE',
        ],
      })
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }
  throw new DiscoError('RPC_FAILED', `The server at ${asked} has no reflection, neither v1 nor v1alpha`, {
    suggestions: ['Describe the method by its file: --proto FILE [--import-path DIR], or --protoset FILE'],
  })
}

/** The error for a server that sends invalid file descriptors. @param cause an error whose message is the reason */
export function unreadable(peer: string, cause: unknown): DiscoError {
  const { message } = cause as Error
  return new DiscoError('RPC_FAILED', `The server at ${peer} sends invalid descriptors: ${message}`, {
    cause,
    suggestions: ['Without reflection: --proto FILE or --protoset FILE'],
  })
}

/**
 * Requests all services, and the files that define them, including imports.
 *
 * @param peer returns the address of the server, for messages
 * @throws DiscoError RPC_FAILED if the server lists services, but sends no file; Error for invalid file descriptors;
 *   any error of `ask`
 */
export async function readReflected(
  ask: SendRequest,
  pkg: ReflectionPackage,
  peer: () => string,
): Promise<ReflectedSchema> {
  const listed = await ask({ listServices: '*' })
  const services = (listed.listServicesResponse?.service ?? [])
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('grpc.reflection.'))
  const files = new ReflectedFiles(ask)
  await files.collect(services.map((fileContainingSymbol): ReflectionRequest => ({ fileContainingSymbol })))
  if (files.all.length === 0 && services.length > 0) {
    throw new DiscoError(
      'RPC_FAILED',
      `The server at ${peer()} lists ${services.length} services and describes none`,
      {
        suggestions: ['Without reflection: --proto FILE or --protoset FILE'],
      },
    )
  }
  checkNames(files.all)
  for (const service of services) checkFullName('service', service)
  const version = pkg.slice(pkg.lastIndexOf('.') + 1)
  return {
    files: files.all,
    services,
    peer: peer(),
    source: `Described by server reflection ${version} at ${peer()}; without reflection use --proto`,
  }
}
