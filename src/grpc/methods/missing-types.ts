import { create } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'

/** A type in use, with a file that is missing. */
export interface MissingType {
  /** Full name. */
  readonly name: string
  readonly kind: 'message' | 'enum'
  /** The file that uses it. */
  readonly importer: string
  /** Missing imports of that file: the type is in one of them. */
  readonly imports: readonly string[]
}

/** Missing types, by full name. */
export type MissingTypes = ReadonlyMap<string, MissingType>

/** Whether a file has only a name. Servers in Go send this for a file that they do not have. */
export function isEmpty(file: FileDescriptorProto): boolean {
  const { messageType, enumType, service, extension, dependency } = file
  return [messageType, enumType, service, extension, dependency].every(({ length }) => length === 0)
}

/** A file with an empty definition of the type, so that everything that does not need it works. */
export function placeholderFile({ name, kind }: MissingType): FileDescriptorProto {
  const dot = name.lastIndexOf('.')
  const own = name.slice(dot + 1)
  return create(FileDescriptorProtoSchema, {
    name: `missing/${name}.proto`,
    package: name.slice(0, Math.max(0, dot)),
    syntax: 'proto3',
    ...(kind === 'enum'
      ? { enumType: [{ name: own, value: [{ name: `${own}_0`, number: 0 }] }] }
      : { messageType: [{ name: own }] }),
  })
}

/** Why a type is missing, as a sentence without its full stop. */
export function whyMissing({ name, importer, imports }: MissingType): string {
  const files = imports.join(', ')
  return `${name} is not described: ${importer} imports ${files}, which ${imports.length === 1 ? 'is' : 'are'} missing`
}
