import { type DescMessage, fromBinary, toJson } from '@bufbuild/protobuf'
import * as v1 from '../proto/reflection_pb.js'
import * as v1alpha from '../proto/reflection_v1alpha_pb.js'

/** The packages of server reflection, newest first. Older servers have only v1alpha. */
export const REFLECTION_PACKAGES = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'] as const

export type ReflectionPackage = (typeof REFLECTION_PACKAGES)[number]

/** A ServerReflectionRequest in ProtoJSON. Exactly one of the fields is set. */
export interface ReflectionRequest {
  readonly listServices?: string
  /** Full name of a service, message, enum or extension. */
  readonly fileContainingSymbol?: string
  readonly fileByFilename?: string
  readonly fileContainingExtension?: { readonly containingType: string; readonly extensionNumber: number }
}

/** A ServerReflectionResponse in ProtoJSON. */
export interface ReflectionResponse {
  /** Serialized FileDescriptorProto messages, in base64. */
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto?: readonly string[] }
  readonly listServicesResponse?: { readonly service?: readonly { readonly name: string }[] }
  readonly errorResponse?: { readonly errorCode?: number; readonly errorMessage?: string }
}

export interface ReflectionMessages {
  readonly path: string
  readonly request: DescMessage
  readonly response: DescMessage
}

/** The path and the messages of the reflection method in a package. Both packages define the same messages. */
export function reflectionMessages(pkg: ReflectionPackage): ReflectionMessages {
  const { ServerReflection, ServerReflectionRequestSchema, ServerReflectionResponseSchema } =
    pkg === 'grpc.reflection.v1' ? v1 : v1alpha
  return {
    path: `/${ServerReflection.typeName}/${ServerReflection.method.serverReflectionInfo.name}`,
    request: ServerReflectionRequestSchema,
    response: ServerReflectionResponseSchema,
  }
}

/** Decodes a response. File descriptors are converted without `toJson`, which is slow for many megabytes. */
export function readResponse(bytes: Uint8Array, { response }: ReflectionMessages): ReflectionResponse {
  const answer = fromBinary(response, bytes)
  // The messages of both packages have the same fields.
  const { messageResponse } = answer as unknown as v1.ServerReflectionResponse
  if (messageResponse.case !== 'fileDescriptorResponse') return toJson(response, answer) as ReflectionResponse
  const files = messageResponse.value.fileDescriptorProto.map((file) => Buffer.from(file).toString('base64'))
  return { fileDescriptorResponse: { fileDescriptorProto: files } }
}
