import { create } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'

/** A type that a file uses, but that is defined in a missing file. */
export interface MissingType {
  /** The full name of the type. */
  readonly name: string
  readonly kind: 'message' | 'enum'
  /** The name of the file that uses the type. */
  readonly importer: string
  /** The names of the missing imports of `importer`. One of these files defines the type. */
  readonly imports: readonly string[]
}

/** Missing types, by full name. */
export type MissingTypes = ReadonlyMap<string, MissingType>

/** Whether a file defines and imports nothing. gRPC servers in Go send such a file for an import that they lack. */
export function isEmpty(file: FileDescriptorProto): boolean {
  const { messageType, enumType, service, extension, dependency } = file
  return [messageType, enumType, service, extension, dependency].every(({ length }) => length === 0)
}

/** A file that defines the type without its fields or values, so that methods that do not use the type can be called. */
export function placeholderFile({ name, kind }: MissingType): FileDescriptorProto {
  const dot = name.lastIndexOf('.')
  const simpleName = name.slice(dot + 1)
  return create(FileDescriptorProtoSchema, {
    name: `missing/${name}.proto`,
    package: name.slice(0, Math.max(0, dot)),
    syntax: 'proto3',
    ...(kind === 'enum'
      ? { enumType: [{ name: simpleName, value: [{ name: `${simpleName}_0`, number: 0 }] }] }
      : { messageType: [{ name: simpleName }] }),
  })
}

/** Why a type is missing, as a sentence without its full stop. */
export function whyMissing({ name, importer, imports }: MissingType): string {
  const files = imports.join(', ')
  return `${name} is not described: ${importer} imports ${files}, which ${imports.length === 1 ? 'is' : 'are'} missing`
}
