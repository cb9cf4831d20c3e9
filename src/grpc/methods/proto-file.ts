import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { create, fromBinary } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import type { Message, NamespaceBase, ReflectionObject, Type } from 'protobufjs'
import { withoutMark } from '../../domain/byte-order-mark.js'
import { DiscoError } from '../../domain/errors.js'

/** The files that a .proto file and its imports describe. @throws DiscoError USAGE when it cannot be read */
export async function readProtoFile(
  file: string,
  importPaths: readonly string[],
): Promise<FileDescriptorProto[]> {
  const folders = ['.', ...importPaths]
  const find = (name: string) => folders.map((folder) => resolve(folder, name)).find(existsSync)
  if (find(file) === undefined) {
    throw new DiscoError('USAGE', `Cannot read ${file}: no such file`, {
      suggestions: [`Looked in: ${folders.join(', ')}. Other folders: --import-path DIR`],
    })
  }
  try {
    const { default: protobuf } = await import('protobufjs')
    const { default: descriptors } = await import('protobufjs/ext/descriptor/index.js')
    const root = new protobuf.Root()
    // What is in no folder may be one of Google's own, which protobufjs has.
    root.resolvePath = (_, name) => find(name) ?? name
    root.fetch = (path, done) => {
      // Its types lack the null that it wants where there is no error.
      const loaded = done as (error: Error | null, contents?: string) => void
      readFile(path, 'utf8').then((text) => loaded(null, withoutMark(text)), loaded)
    }
    await root.load(file, { keepCase: true })
    root.resolveAll()
    return new Describer(protobuf, descriptors).describe(root)
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot read ${file}: ${(cause as Error).message}`, {
      cause,
      suggestions: ['Folders that its imports are found in: --import-path DIR'],
    })
  }
}

type Protobuf = typeof import('protobufjs')
type Descriptors = typeof import('protobufjs/ext/descriptor/index.js')

/** Makes descriptors file by file: protobufjs itself makes one a package, in which all is of one syntax. */
class Describer {
  private readonly files = new Map<string, FileDescriptorProto>()

  constructor(
    private readonly protobuf: Protobuf,
    private readonly descriptors: Descriptors,
  ) {}

  describe(namespace: NamespaceBase): FileDescriptorProto[] {
    for (const nested of namespace.nestedArray) this.add(nested)
    return [...this.files.values()]
  }

  private add(object: ReflectionObject): void {
    const { Type, Enum, Service, Field, Namespace } = this.protobuf
    const { DescriptorProto, EnumDescriptorProto, ServiceDescriptorProto, FieldDescriptorProto } =
      this.descriptors
    const file = () => this.fileOf(object)
    if (object instanceof Type) {
      const bytes = DescriptorProto.encode(described(object, file().syntax)).finish()
      file().messageType.push(withJsonNames(fromBinary(DescriptorProtoSchema, bytes), object))
    } else if (object instanceof Enum) {
      const bytes = EnumDescriptorProto.encode(described(object, file().syntax)).finish()
      file().enumType.push(fromBinary(EnumDescriptorProtoSchema, bytes))
    } else if (object instanceof Service) {
      const bytes = ServiceDescriptorProto.encode(described(object, file().syntax)).finish()
      file().service.push(fromBinary(ServiceDescriptorProtoSchema, bytes))
    } else if (object instanceof Field) {
      const bytes = FieldDescriptorProto.encode(described(object, file().syntax)).finish()
      file().extension.push(fromBinary(FieldDescriptorProtoSchema, bytes))
    } else if (object instanceof Namespace) this.describe(object)
  }

  private fileOf({ filename, parent }: ReflectionObject): FileDescriptorProto {
    const path = filename ?? `${parent?.fullName ?? ''}.proto`
    const known = this.files.get(path)
    if (known) return known
    const made = create(FileDescriptorProtoSchema, {
      name: existsSync(path) ? relative('.', path) : path,
      package: parent?.fullName.replace(/^\./, '') ?? '',
      syntax: syntaxOf(path),
    })
    this.files.set(path, made)
    return made
  }
}

/** The types know of this method only for messages and enums; every other object has it, too. */
function described(object: ReflectionObject, syntax: string): Message {
  return (object as ReflectionObject & { toDescriptor(syntax: string): Message }).toDescriptor(syntax)
}

/** What is not there is one of Google's own. A file that says nothing is of the first syntax that there was. */
function syntaxOf(path: string): string {
  if (!existsSync(path)) return 'proto3'
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  return /^\s*syntax\s*=\s*["'](\w+)["']/.exec(code)?.[1] ?? 'proto2'
}

/** protobufjs leaves them out of its descriptors. */
function withJsonNames(message: DescriptorProto, type: Type): DescriptorProto {
  for (const field of message.field) {
    const jsonName: unknown = type.fields[field.name]?.options?.json_name
    if (typeof jsonName === 'string') field.jsonName = jsonName
  }
  for (const nested of message.nestedType) {
    const own = type.nested?.[nested.name]
    if (own && 'fields' in own) withJsonNames(nested, own as Type)
  }
  return message
}
