import { create } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  MessageOptionsSchema,
} from '@bufbuild/protobuf/wkt'
import { featuresIn, type Options, readBracketed } from './options.js'
import type { Tokens } from './tokens.js'

const { OPTIONAL, REQUIRED, REPEATED } = FieldDescriptorProto_Label
const { MESSAGE, GROUP } = FieldDescriptorProto_Type

const LABELS: Readonly<Record<string, FieldDescriptorProto_Label>> = {
  optional: OPTIONAL,
  required: REQUIRED,
  repeated: REPEATED,
}

const SCALARS: ReadonlyMap<string, FieldDescriptorProto_Type> = new Map(
  Object.entries(FieldDescriptorProto_Type).flatMap(([name, type]) =>
    typeof type === 'number' && !['MESSAGE', 'GROUP', 'ENUM'].includes(name)
      ? [[name.toLowerCase(), type] as const]
      : [],
  ),
)

/** The declaration that contains the fields. */
export interface FieldPlace {
  readonly tokens: Tokens
  readonly isProto3: boolean
  /** Receives the message created by a map or a group. */
  readonly nest: (message: DescriptorProto) => void
  /** Reads the body of a group. */
  readonly readBody: (message: DescriptorProto) => void
}

/** Reads a field with its label, a map or a group. */
export function readField(place: FieldPlace): FieldDescriptorProto {
  const { tokens } = place
  const word = tokens.text
  const label = LABELS[word]
  if (label !== undefined) tokens.take()
  const isOptionalInProto3 = place.isProto3 && word === 'optional'
  const typeName = tokens.path()
  if (typeName === 'group') return readGroup(place, label ?? OPTIONAL)
  if (typeName === 'map' && tokens.text === '<') return readMap(place)
  const field = create(FieldDescriptorProtoSchema, {
    name: tokens.word(),
    label: label ?? OPTIONAL,
    ...typeOf(typeName),
  })
  readNumber(tokens, field)
  if (isOptionalInProto3) field.proto3Optional = true
  finish(tokens, field)
  return field
}

/** Whether a named type is a message or an enum is unknown until all files are read: see normalizeFiles. */
function typeOf(name: string): { type: FieldDescriptorProto_Type; typeName?: string } {
  const scalar = SCALARS.get(name)
  return scalar === undefined ? { type: MESSAGE, typeName: name } : { type: scalar }
}

function readMap(place: FieldPlace): FieldDescriptorProto {
  const { tokens } = place
  tokens.expect('<')
  const key = tokens.path()
  tokens.expect(',')
  const value = tokens.path()
  tokens.expect('>')
  const name = tokens.word()
  const entry = `${capitalized(name)}Entry`
  place.nest(
    create(DescriptorProtoSchema, {
      name: entry,
      field: [
        { name: 'key', number: 1, label: OPTIONAL, ...typeOf(key) },
        { name: 'value', number: 2, label: OPTIONAL, ...typeOf(value) },
      ],
      options: create(MessageOptionsSchema, { mapEntry: true }),
    }),
  )
  const field = create(FieldDescriptorProtoSchema, { name, label: REPEATED, type: MESSAGE, typeName: entry })
  readNumber(tokens, field)
  finish(tokens, field)
  return field
}

/** protoc's rule for the name of a map's entry. */
function capitalized(name: string): string {
  return name.replace(/(?:^|_)([^_]?)/g, (_, letter: string) => letter.toUpperCase())
}

/** Reads a group, which declares a message and a field of it; the field has the message's name in lower case. */
function readGroup(place: FieldPlace, label: FieldDescriptorProto_Label): FieldDescriptorProto {
  const { tokens } = place
  const name = tokens.word()
  const field = create(FieldDescriptorProtoSchema, {
    name: name.toLowerCase(),
    label,
    type: GROUP,
    typeName: name,
  })
  readNumber(tokens, field)
  applyOptions(field, readBracketed(tokens))
  const message = create(DescriptorProtoSchema, { name })
  place.readBody(message)
  place.nest(message)
  return field
}

function readNumber(tokens: Tokens, field: FieldDescriptorProto): void {
  tokens.expect('=')
  field.number = Number(tokens.integer())
}

function finish(tokens: Tokens, field: FieldDescriptorProto): void {
  applyOptions(field, readBracketed(tokens))
  tokens.expect(';')
}

function applyOptions(field: FieldDescriptorProto, options: Options): void {
  const jsonName = options.get('json_name')
  if (jsonName !== undefined) field.jsonName = jsonName
  const value = options.get('default')
  if (value !== undefined) field.defaultValue = defaultText(value)
  const packed = options.get('packed')
  const own = { ...featuresIn(options), ...(packed === undefined ? {} : { packed: packed === 'true' }) }
  if (Object.keys(own).length > 0) field.options = create(FieldOptionsSchema, own)
}

/** A default value in the form of descriptors, which have integers in decimal. */
function defaultText(value: string): string {
  if (/^-?0[xX][0-9a-fA-F]+$/.test(value)) return decimal(value, (digits) => BigInt(digits))
  if (/^-?0[0-7]+$/.test(value)) return decimal(value, (digits) => BigInt(`0o${digits.slice(1)}`))
  return value
}

function decimal(value: string, read: (digits: string) => bigint): string {
  return value.startsWith('-') ? `-${read(value.slice(1))}` : String(read(value))
}
