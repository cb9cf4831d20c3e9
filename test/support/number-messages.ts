import { create } from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt'
import { Descriptors } from '../../src/grpc/methods/descriptors.js'
import type { Method } from '../../src/grpc/methods/method.js'

const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label
const {
  INT64,
  UINT64,
  SINT64,
  FIXED64,
  SFIXED64,
  INT32,
  UINT32,
  DOUBLE,
  FLOAT,
  STRING,
  BOOL,
  ENUM,
  MESSAGE,
} = FieldDescriptorProto_Type

const GOOGLE = [
  file_google_protobuf_any,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
].map(({ proto }) => proto)

const SCALARS = {
  int64: INT64,
  uint64: UINT64,
  sint64: SINT64,
  fixed64: FIXED64,
  sfixed64: SFIXED64,
  int32: INT32,
  uint32: UINT32,
  double: DOUBLE,
  float: FLOAT,
  text: STRING,
  flag: BOOL,
}

const MESSAGES = {
  wrapped_int64: '.google.protobuf.Int64Value',
  wrapped_uint64: '.google.protobuf.UInt64Value',
  free: '.google.protobuf.Value',
  any: '.google.protobuf.Any',
  at: '.google.protobuf.Timestamp',
  inner: '.numbers.Numbers',
}

function entry(name: string, key: FieldDescriptorProto_Type, value: object) {
  const field = [
    { name: 'key', number: 1, label: OPTIONAL, type: key },
    { name: 'value', number: 2, label: OPTIONAL, ...value },
  ]
  return { name, field, options: { mapEntry: true } }
}

const list = (name: string, number: number, typeName: string) => ({
  name,
  number,
  label: REPEATED,
  type: MESSAGE,
  typeName,
})

const FILE = create(FileDescriptorProtoSchema, {
  name: 'numbers.proto',
  package: 'numbers',
  syntax: 'proto2',
  dependency: GOOGLE.map(({ name }) => name),
  enumType: [
    {
      name: 'Color',
      value: [
        { name: 'NONE', number: 0 },
        { name: 'RED', number: 1 },
      ],
    },
  ],
  messageType: [
    {
      name: 'Numbers',
      field: [
        ...Object.entries(SCALARS).map(([name, type], at) => ({
          name,
          number: at + 1,
          label: OPTIONAL,
          type,
        })),
        ...Object.entries(MESSAGES).map(([name, typeName], at) => ({
          name,
          number: at + 20,
          label: OPTIONAL,
          type: MESSAGE,
          typeName,
        })),
        { name: 'color', number: 30, label: OPTIONAL, type: ENUM, typeName: '.numbers.Color' },
        { name: 'list', number: 31, label: REPEATED, type: INT64 },
        { name: 'chosen', number: 32, label: OPTIONAL, type: INT64, oneofIndex: 0 },
        list('values', 33, '.numbers.Numbers.ValuesEntry'),
        list('keys', 34, '.numbers.Numbers.KeysEntry'),
      ],
      oneofDecl: [{ name: 'choice' }],
      extensionRange: [{ start: 100, end: 200 }],
      nestedType: [
        entry('ValuesEntry', INT64, { type: INT64 }),
        entry('KeysEntry', UINT64, { type: MESSAGE, typeName: '.numbers.Numbers' }),
      ],
    },
  ],
  extension: [{ name: 'extended', number: 100, label: OPTIONAL, type: INT64, extendee: '.numbers.Numbers' }],
  service: [
    {
      name: 'Echo',
      method: [{ name: 'One', inputType: '.numbers.Numbers', outputType: '.numbers.Numbers' }],
    },
  ],
})

/** A method that takes and returns numbers.Numbers: a field of each kind that a number can go to, by its type. */
export function numbersMethod(): Method {
  return new Descriptors([...GOOGLE, FILE], 'Described by the test').method('One')
}
