import { clone } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { builtInFiles } from './built-in-files.js'
import { isEmpty, type MissingType, type MissingTypes, placeholderFile } from './missing-types.js'

const { MESSAGE, ENUM } = FieldDescriptorProto_Type

export interface NormalizedFiles {
  /** The files in an order that `createFileRegistry` requires: each file follows its dependencies. */
  readonly files: readonly FileDescriptorProto[]
  /** Types that are defined in missing files. For each of them, `files` contains a placeholder. */
  readonly missing: MissingTypes
}

/** The file that defines a type, and the kind of the type. */
export interface Definition {
  readonly file: string
  readonly kind: 'message' | 'enum'
}

/**
 * Completes file descriptors to the form that protoc produces. Servers with protobufjs, and the parser in
 * `proto-source`, omit dependencies and JSON names, and leave type names as they are written in the .proto file. Also
 * adds the built-in files that are imported, and a placeholder for each type that is defined in a missing file.
 *
 * @throws Error for a type that is not defined although the file that uses it has all its imports
 */
export function normalizeFiles(described: readonly FileDescriptorProto[]): NormalizedFiles {
  const files = withBuiltIns(withoutCopies(described))
  const definitions = definitionsOf(files)
  const absent = absentImports(files)
  const missing = new Map<string, MissingType>()
  const names = new Set(files.map(({ name }) => name))
  const isPresent = (name: string) => names.has(name)
  const normalized = files.map((file) => {
    const own = clone(FileDescriptorProtoSchema, file)
    return new Normalizer(own, definitions, absent(file), missing, isPresent).run()
  })
  const placeholders = [...missing.values()].map(placeholderFile)
  return { files: dependenciesFirst([...placeholders, ...normalized]), missing }
}

/** Removes copies of a file under another name (from another import path), which would define its types again. */
function withoutCopies(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const defined = new Set<string>()
  return files.filter((file) => {
    const services = file.service.map(({ name }) => join(file.package, name))
    const own = [...definitionsOf([file]).keys(), ...services]
    const isCopy = own.length > 0 && own.every((name) => defined.has(name))
    for (const name of own) defined.add(name)
    return !isCopy
  })
}

function withBuiltIns(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const names = new Set(files.filter((file) => !isEmpty(file)).map(({ name }) => name))
  const wanted = new Set(files.flatMap(({ dependency }) => dependency))
  const added: FileDescriptorProto[] = []
  // In reverse order, so that each built-in file adds its imports to `wanted` before they are visited.
  for (const file of builtInFiles().toReversed()) {
    if (names.has(file.name) || !wanted.has(file.name)) continue
    added.push(file)
    for (const name of file.dependency) wanted.add(name)
  }
  const replaced = new Set(added.map(({ name }) => name))
  return [...files.filter(({ name }) => !replaced.has(name)), ...added]
}

/** Returns a function that lists the imports of a file that are missing or empty (see `isEmpty`). */
function absentImports(files: readonly FileDescriptorProto[]): (file: FileDescriptorProto) => string[] {
  const present = new Set(files.filter((file) => !isEmpty(file)).map(({ name }) => name))
  return ({ dependency }) => dependency.filter((name) => !present.has(name))
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

/** Completes one file in place. */
class Normalizer {
  private readonly dependencies: Set<string>

  constructor(
    private readonly file: FileDescriptorProto,
    private readonly definitions: ReadonlyMap<string, Definition>,
    private readonly absent: readonly string[],
    private readonly missing: Map<string, MissingType>,
    isPresent: (name: string) => boolean,
  ) {
    this.dependencies = new Set(file.dependency.filter(isPresent))
  }

  run(): FileDescriptorProto {
    const { file } = this
    for (const message of file.messageType) this.message(message, file.package)
    file.extension = this.extensions(file.extension, file.package)
    for (const service of file.service) {
      for (const method of service.method) {
        method.inputType = this.qualified(method.inputType, file.package, 'message')
        method.outputType = this.qualified(method.outputType, file.package, 'message')
      }
    }
    file.dependency = [...this.dependencies]
    // Both contain indexes into the previous `dependency`, so they are no longer valid.
    file.publicDependency = []
    file.weakDependency = []
    return file
  }

  private message(message: DescriptorProto, scope: string): void {
    const own = join(scope, message.name)
    for (const field of message.field) this.field(field, own)
    message.extension = this.extensions(message.extension, own)
    for (const nested of message.nestedType) this.message(nested, own)
  }

  private field(field: FieldDescriptorProto, scope: string): void {
    if (field.jsonName === '') field.jsonName = jsonNameOf(field.name)
    if (field.typeName === '') return
    field.typeName = this.qualified(field.typeName, scope, field.type === ENUM ? 'enum' : 'message')
    if (field.type === MESSAGE && this.definitions.get(field.typeName.slice(1))?.kind === 'enum')
      field.type = ENUM
  }

  /** Completes extensions, and removes those of messages that are not defined. */
  private extensions(extensions: FieldDescriptorProto[], scope: string): FieldDescriptorProto[] {
    return extensions.filter((extension) => {
      const extendee = resolve(extension.extendee, scope, this.definitions)
      if (!this.definitions.has(extendee)) return false
      extension.extendee = this.qualified(extension.extendee, scope, 'message')
      this.field(extension, scope)
      return true
    })
  }

  private qualified(name: string, scope: string, kind: Definition['kind']): string {
    const full = resolve(name, scope, this.definitions)
    const definition = this.definitions.get(full)
    if (definition) this.dependOn(definition.file)
    else this.dependOn(this.placeholder(full, kind))
    return `.${full}`
  }

  private dependOn(name: string): void {
    if (name !== this.file.name) this.dependencies.add(name)
  }

  private placeholder(name: string, kind: Definition['kind']): string {
    const { file, absent, missing } = this
    if (absent.length === 0) throw new Error(`${file.name} uses ${name}, which no file defines`)
    const known = missing.get(name)
    const type = known ?? { name, kind, importer: file.name, imports: absent }
    missing.set(name, type)
    return placeholderFile(type).name
  }
}

/**
 * Resolves a type name by protobuf's scoping rule: from the innermost scope outwards, the first one that defines it.
 */
function resolve(name: string, scope: string, definitions: ReadonlyMap<string, unknown>): string {
  if (name.startsWith('.')) return name.slice(1)
  for (let outer = scope; ; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
    const candidate = join(outer, name)
    if (definitions.has(candidate) || outer === '') return candidate
  }
}

/** All messages and enums of the files, by full name, with their file and kind. */
export function definitionsOf(files: readonly FileDescriptorProto[]): Map<string, Definition> {
  const definitions = new Map<string, Definition>()
  const add = (scope: string, name: string, file: string, kind: Definition['kind']) => {
    const full = join(scope, name)
    if (!definitions.has(full)) definitions.set(full, { file, kind })
    return full
  }
  const addMessage = ({ name, enumType, nestedType }: DescriptorProto, scope: string, file: string) => {
    const own = add(scope, name, file, 'message')
    for (const nested of enumType) add(own, nested.name, file, 'enum')
    for (const nested of nestedType) addMessage(nested, own, file)
  }
  for (const { name: file, package: scope, messageType, enumType } of files) {
    for (const message of messageType) addMessage(message, scope, file)
    for (const enumeration of enumType) add(scope, enumeration.name, file, 'enum')
  }
  return definitions
}

function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

/**
 * The default JSON name of a field, as in protoc: without underscores, and with a capital letter after each of them.
 */
export function jsonNameOf(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase())
}
