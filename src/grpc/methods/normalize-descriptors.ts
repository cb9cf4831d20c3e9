import { clone } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'

/**
 * Files as protoc would describe them. Servers on protobufjs, and protobufjs itself, leave out which files a
 * file depends on, qualify type names only as far as the .proto did, and give no JSON names. Files come out
 * after those that they depend on, as a registry wants them; reflection answers in any order.
 */
export function normalizeFiles(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const homes = new Map<string, string>()
  for (const file of files) for (const name of typeNames(file)) homes.set(name, file.name)
  return dependenciesFirst(files.map((file) => normalizeFile(clone(FileDescriptorProtoSchema, file), homes)))
}

function dependenciesFirst(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const ordered = new Set<FileDescriptorProto>()
  const visited = new Set<string>()
  const visit = (file: FileDescriptorProto) => {
    if (visited.has(file.name)) return
    visited.add(file.name)
    for (const name of file.dependency) {
      const dependency = byName.get(name)
      if (dependency) visit(dependency)
    }
    ordered.add(file)
  }
  for (const file of byName.values()) visit(file)
  return [...ordered]
}

function normalizeFile(file: FileDescriptorProto, homes: ReadonlyMap<string, string>): FileDescriptorProto {
  const dependencies = new Set(file.dependency)
  const qualify = (name: string, scope: string): string => {
    const full = resolve(name, scope, homes)
    const home = homes.get(full)
    if (home !== undefined && home !== file.name) dependencies.add(home)
    return `.${full}`
  }
  const normalizeField = (field: FieldDescriptorProto, scope: string) => {
    if (field.typeName !== '') field.typeName = qualify(field.typeName, scope)
    if (field.extendee !== '') field.extendee = qualify(field.extendee, scope)
    if (field.jsonName === '') field.jsonName = jsonNameOf(field.name)
  }
  const normalizeMessage = (message: DescriptorProto, scope: string) => {
    const own = join(scope, message.name)
    for (const field of [...message.field, ...message.extension]) normalizeField(field, own)
    for (const nested of message.nestedType) normalizeMessage(nested, own)
  }
  for (const message of file.messageType) normalizeMessage(message, file.package)
  for (const extension of file.extension) normalizeField(extension, file.package)
  for (const service of file.service) {
    for (const method of service.method) {
      method.inputType = qualify(method.inputType, file.package)
      method.outputType = qualify(method.outputType, file.package)
    }
  }
  file.dependency = [...dependencies]
  return file
}

/** Protobuf's scoping rule: the innermost scope that has the name wins. */
function resolve(name: string, scope: string, homes: ReadonlyMap<string, string>): string {
  if (name.startsWith('.')) return name.slice(1)
  for (let outer = scope; ; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
    const candidate = join(outer, name)
    if (homes.has(candidate) || outer === '') return candidate
  }
}

function typeNames(file: FileDescriptorProto): string[] {
  const ofMessage = (message: DescriptorProto, scope: string): string[] => {
    const own = join(scope, message.name)
    const enums = message.enumType.map((nested) => join(own, nested.name))
    return [own, ...enums, ...message.nestedType.flatMap((nested) => ofMessage(nested, own))]
  }
  return [
    ...file.messageType.flatMap((message) => ofMessage(message, file.package)),
    ...file.enumType.map((own) => join(file.package, own.name)),
  ]
}

function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

/** protoc's rule: an underscore goes, and the letter behind it becomes a capital. */
export function jsonNameOf(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase())
}
