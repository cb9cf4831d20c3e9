import type { DescMessage } from '@bufbuild/protobuf'
import * as v1 from '../proto/reflection_pb.js'
import * as v1alpha from '../proto/reflection_v1alpha_pb.js'

/** The packages of server reflection, newest first; older servers have only the second. */
export const REFLECTION_PACKAGES = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'] as const

export type ReflectionPackage = (typeof REFLECTION_PACKAGES)[number]

/** A ServerReflectionRequest in protobuf's JSON form: exactly one of these fields. */
export interface ReflectionQuestion {
  readonly listServices?: string
  /** Full name of a service, message, enum or extension. */
  readonly fileContainingSymbol?: string
  readonly fileByFilename?: string
  readonly fileContainingExtension?: { readonly containingType: string; readonly extensionNumber: number }
}

/** A ServerReflectionResponse in protobuf's JSON form. */
export interface ReflectionAnswer {
  /** Files in base64. */
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto?: readonly string[] }
  readonly listServicesResponse?: { readonly service?: readonly { readonly name: string }[] }
  readonly errorResponse?: { readonly errorCode?: number; readonly errorMessage?: string }
}

export interface ReflectionMessages {
  readonly path: string
  readonly request: DescMessage
  readonly response: DescMessage
}

/** The method of server reflection and its messages, which are the same in both packages. */
export function reflectionMessages(pkg: ReflectionPackage): ReflectionMessages {
  const { ServerReflection, ServerReflectionRequestSchema, ServerReflectionResponseSchema } =
    pkg === 'grpc.reflection.v1' ? v1 : v1alpha
  return {
    path: `/${ServerReflection.typeName}/${ServerReflection.method.serverReflectionInfo.name}`,
    request: ServerReflectionRequestSchema,
    response: ServerReflectionResponseSchema,
  }
}
