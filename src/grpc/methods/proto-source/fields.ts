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

/** The message or `extend` block that contains a field. */
export interface FieldParent {
  readonly tokens: Tokens
  readonly isProto3: boolean
  /** Adds the message that a map or group field declares. */
  readonly nest: (message: DescriptorProto) => void
  /** Parses the body of a group. */
  readonly readBody: (message: DescriptorProto) => void
}

/** Parses a field with its label, a map field or a group. */
export function readField(parent: FieldParent): FieldDescriptorProto {
  const { tokens } = parent
  const word = tokens.text
  const label = LABELS[word]
  if (label !== undefined) tokens.take()
  const isOptionalInProto3 = parent.isProto3 && word === 'optional'
  const typeName = tokens.path()
  if (typeName === 'group') return readGroup(parent, label ?? OPTIONAL)
  if (typeName === 'map' && tokens.text === '<') return readMap(parent)
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

/**
 * The type of a field. A named type counts as a message until `normalizeFiles`, which finds out whether it is an enum.
 */
function typeOf(name: string): { type: FieldDescriptorProto_Type; typeName?: string } {
  const scalar = SCALARS.get(name)
  return scalar === undefined ? { type: MESSAGE, typeName: name } : { type: scalar }
}

function readMap(parent: FieldParent): FieldDescriptorProto {
  const { tokens } = parent
  tokens.expect('<')
  const key = tokens.path()
  tokens.expect(',')
  const value = tokens.path()
  tokens.expect('>')
  const name = tokens.word()
  const entry = `${capitalized(name)}Entry`
  parent.nest(
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

/** The name of a map field in the form that protoc uses for the entry message. */
function capitalized(name: string): string {
  return name.replace(/(?:^|_)([^_]?)/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * Parses a group, which declares a message and a field of this type. The name of the field is that of the message in
 * lower case.
 */
function readGroup(parent: FieldParent, label: FieldDescriptorProto_Label): FieldDescriptorProto {
  const { tokens } = parent
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
  parent.readBody(message)
  parent.nest(message)
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

/** A default value as in a descriptor, where integers are decimal. */
function defaultText(value: string): string {
  if (/^-?0[xX][0-9a-fA-F]+$/.test(value)) return decimal(value, (digits) => BigInt(digits))
  if (/^-?0[0-7]+$/.test(value)) return decimal(value, (digits) => BigInt(`0o${digits.slice(1)}`))
  return value
}

function decimal(value: string, read: (digits: string) => bigint): string {
  return value.startsWith('-') ? `-${read(value.slice(1))}` : String(read(value))
}
