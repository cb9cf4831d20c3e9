import type { DescMessage } from '@bufbuild/protobuf'
import { describeSchema, registryOf } from './schema.js'

/** The packages that servers know reflection by, newest first; servers of some age know only the second. */
export const REFLECTION_PACKAGES = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'] as const

export type ReflectionPackage = (typeof REFLECTION_PACKAGES)[number]

/** What a server may be asked: one of these at a time (ServerReflectionRequest, as protobuf's JSON). */
export interface ReflectionQuestion {
  readonly listServices?: string
  readonly fileContainingSymbol?: string
  readonly fileByFilename?: string
}

export interface ReflectionMessages {
  readonly path: string
  readonly request: DescMessage
  readonly response: DescMessage
}

/**
 * The part of the server reflection protocol that disco speaks, the same in both packages: the list of
 * services, the file that holds a symbol, and a file by its name.
 */
export function reflectionMessages(pkg: ReflectionPackage): ReflectionMessages {
  const registry = registryOf(
    describeSchema({
      package: pkg,
      messages: {
        ServerReflectionRequest: [
          { name: 'host', number: 1, type: 'string' },
          { name: 'file_by_filename', number: 3, type: 'string', inOneof: true },
          { name: 'file_containing_symbol', number: 4, type: 'string', inOneof: true },
          { name: 'list_services', number: 7, type: 'string', inOneof: true },
        ],
        FileDescriptorResponse: [{ name: 'file_descriptor_proto', number: 1, type: 'bytes', repeated: true }],
        ServiceResponse: [{ name: 'name', number: 1, type: 'string' }],
        ListServiceResponse: [{ name: 'service', number: 1, type: 'ServiceResponse', repeated: true }],
        ErrorResponse: [
          { name: 'error_code', number: 1, type: 'int32' },
          { name: 'error_message', number: 2, type: 'string' },
        ],
        ServerReflectionResponse: [
          { name: 'valid_host', number: 1, type: 'string' },
          { name: 'file_descriptor_response', number: 4, type: 'FileDescriptorResponse', inOneof: true },
          { name: 'list_services_response', number: 6, type: 'ListServiceResponse', inOneof: true },
          { name: 'error_response', number: 7, type: 'ErrorResponse', inOneof: true },
        ],
      },
    }),
  )
  const named = (name: string): DescMessage => {
    const found = registry.getMessage(`${pkg}.${name}`)
    if (!found) throw new Error(`${pkg} lacks ${name}`)
    return found
  }
  return {
    path: `/${pkg}.ServerReflection/ServerReflectionInfo`,
    request: named('ServerReflectionRequest'),
    response: named('ServerReflectionResponse'),
  }
}
