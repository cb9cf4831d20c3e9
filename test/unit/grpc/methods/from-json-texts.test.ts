import { fromJson } from '@bufbuild/protobuf'
import { FieldDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import {
  decodingError,
  unknownEnumValue,
  unknownKey,
  withoutMessageName,
} from '../../../../src/grpc/methods/from-json-texts.js'

/** The text of the installed protobuf-es, for a field descriptor: a message with an enum and with another message. */
function textFor(json: Parameters<typeof fromJson>[1]): string {
  try {
    fromJson(FieldDescriptorProtoSchema, json)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error(`protobuf-es takes ${JSON.stringify(json)}`)
}

test('an unknown enum value is parsed from the error message of protobuf-es', () => {
  const enumName = 'google.protobuf.FieldDescriptorProto.Type'
  expect(unknownEnumValue(textFor({ type: 'TYPE_NONE' }))).toEqual({ enumName, value: 'TYPE_NONE' })
  expect(unknownEnumValue(textFor({ unknown: 1 }))).toBeNull()
})

test('an unknown key is parsed from the error message of protobuf-es, with the message that lacks it', () => {
  const typeName = 'google.protobuf.FieldDescriptorProto'
  expect(unknownKey(textFor({ unknown: 1 }))).toEqual({ typeName, key: 'unknown' })
  const options = 'google.protobuf.FieldOptions'
  expect(unknownKey(textFor({ options: { unknown: 1 } }))).toEqual({ typeName: options, key: 'unknown' })
  expect(unknownKey(textFor({ type: 'TYPE_NONE' }))).toBeNull()
})

test('our own decoding errors have the form of those of protobuf-es', () => {
  const typeName = 'google.protobuf.FieldDescriptorProto'
  const text = textFor({ unknown: 1 })
  expect(withoutMessageName(text, typeName)).toBe('key "unknown" is unknown')
  expect(decodingError(`message ${typeName}`, 'key "unknown" is unknown')).toBe(text)
})
