import { create } from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'

const { OPTIONAL } = FieldDescriptorProto_Label
const { ENUM, MESSAGE, STRING } = FieldDescriptorProto_Type

/** shop/types.proto: a message with a nested message and an enum, in a package of its own. */
export const TYPES = create(FileDescriptorProtoSchema, {
  name: 'shop/types.proto',
  package: 'shop.types',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Item',
      field: [{ name: 'unit_price', number: 1, label: OPTIONAL, type: STRING }],
      nestedType: [{ name: 'Id', field: [{ name: 'value', number: 1, label: OPTIONAL, type: STRING }] }],
    },
  ],
  enumType: [
    {
      name: 'Size',
      value: [
        { name: 'SMALL', number: 0 },
        { name: 'LARGE', number: 1 },
      ],
    },
  ],
})

/**
 * shop/shop.proto as protobufjs describes it: without a dependency although it uses TYPES, with type names as in the
 * .proto, and without JSON names.
 */
export const SHOP: FileDescriptorProto = create(FileDescriptorProtoSchema, {
  name: 'shop/shop.proto',
  package: 'shop.api',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Order',
      field: [
        { name: 'first_item', number: 1, label: OPTIONAL, type: MESSAGE, typeName: 'types.Item' },
        { name: 'item_id', number: 2, label: OPTIONAL, type: MESSAGE, typeName: 'shop.types.Item.Id' },
        { name: 'size', number: 3, label: OPTIONAL, type: ENUM, typeName: 'types.Size' },
        { name: 'note', number: 4, label: OPTIONAL, type: MESSAGE, typeName: 'Note' },
        { name: 'plain', number: 5, label: OPTIONAL, type: STRING },
      ],
      nestedType: [{ name: 'Note', field: [{ name: 'text', number: 1, label: OPTIONAL, type: STRING }] }],
    },
    { name: 'Note' },
  ],
  service: [
    {
      name: 'Shop',
      method: [
        { name: 'Buy', inputType: 'Order', outputType: '.shop.api.Order' },
        { name: 'List', inputType: 'types.Item', outputType: 'Order', serverStreaming: true },
      ],
    },
    { name: 'Returns', method: [{ name: 'List', inputType: 'Note', outputType: 'Note' }] },
  ],
})
