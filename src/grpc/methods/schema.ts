import { create, createFileRegistry, type FileRegistry } from '@bufbuild/protobuf'
import {
  DescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { jsonNameOf } from './normalize-descriptors.js'

/** A field of a small proto3 schema: `type` is a scalar or the name of a message of the same file. */
export interface Field {
  readonly name: string
  readonly number: number
  readonly type: 'string' | 'bytes' | 'int32' | 'bool' | (string & {})
  readonly repeated?: true
  /** Part of the message's one oneof. */
  readonly inOneof?: true
}

export interface Method {
  readonly name: string
  readonly input: string
  readonly output: string
  readonly streams?: 'client' | 'server' | 'both'
}

export interface Schema {
  readonly package: string
  readonly messages: Readonly<Record<string, readonly Field[]>>
  readonly services?: Readonly<Record<string, readonly Method[]>>
}

const SCALARS: Readonly<Record<string, FieldDescriptorProto_Type>> = {
  string: FieldDescriptorProto_Type.STRING,
  bytes: FieldDescriptorProto_Type.BYTES,
  int32: FieldDescriptorProto_Type.INT32,
  bool: FieldDescriptorProto_Type.BOOL,
}

/** A protocol that disco itself speaks, written down here, as protoc would describe its .proto file. */
export function describeSchema(schema: Schema): FileDescriptorProto {
  const typeName = (name: string) => `.${schema.package}.${name}`
  return create(FileDescriptorProtoSchema, {
    name: `${schema.package.replaceAll('.', '/')}.proto`,
    package: schema.package,
    syntax: 'proto3',
    messageType: Object.entries(schema.messages).map(([name, fields]) =>
      create(DescriptorProtoSchema, {
        name,
        field: fields.map((field) => describeField(field, typeName)),
        oneofDecl: fields.some((field) => field.inOneof) ? [{ name: 'kind' }] : [],
      }),
    ),
    service: Object.entries(schema.services ?? {}).map(([name, methods]) =>
      create(ServiceDescriptorProtoSchema, {
        name,
        method: methods.map((method) =>
          create(MethodDescriptorProtoSchema, {
            name: method.name,
            inputType: typeName(method.input),
            outputType: typeName(method.output),
            clientStreaming: method.streams === 'client' || method.streams === 'both',
            serverStreaming: method.streams === 'server' || method.streams === 'both',
          }),
        ),
      }),
    ),
  })
}

export function registryOf(...files: FileDescriptorProto[]): FileRegistry {
  return createFileRegistry(create(FileDescriptorSetSchema, { file: files }))
}

function describeField(field: Field, typeName: (name: string) => string): FieldDescriptorProto {
  const scalar = SCALARS[field.type]
  return create(FieldDescriptorProtoSchema, {
    name: field.name,
    jsonName: jsonNameOf(field.name),
    number: field.number,
    label: field.repeated ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
    type: scalar ?? FieldDescriptorProto_Type.MESSAGE,
    ...(scalar === undefined ? { typeName: typeName(field.type) } : {}),
    ...(field.inOneof ? { oneofIndex: 0 } : {}),
  })
}
