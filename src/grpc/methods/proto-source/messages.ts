import { create } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  MessageOptionsSchema,
  OneofDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { readEnum, skipStatement } from './enums.js'
import { readField } from './fields.js'
import { featuresIn, type Options, readBracketed, readOption } from './options.js'
import type { Tokens } from './tokens.js'

/** The end of the range of field and extension numbers, which is exclusive. */
const END_OF_NUMBERS = 2 ** 29

/** The declarations in a file or a message. */
export interface Scope {
  readonly messages: DescriptorProto[]
  readonly enums: EnumDescriptorProto[]
  readonly extensions: FieldDescriptorProto[]
}

/** Parses the messages, enums and extensions of a file. */
export class MessageReader {
  /** The fields of each message, by number and by name, to detect duplicates. */
  private readonly fieldsOf = new WeakMap<DescriptorProto, Map<number | string, FieldDescriptorProto>>()

  /** @param isProto3 whether the syntax of the file is proto3; known after its `syntax` statement */
  constructor(
    private readonly tokens: Tokens,
    private readonly isProto3: () => boolean,
  ) {}

  /** Parses a message, an enum or an `extend` block. @returns false if the next token does not begin one of them */
  declaration({ messages, enums, extensions }: Scope): boolean {
    const { tokens } = this
    if (tokens.takeIf('message')) messages.push(this.message())
    else if (tokens.takeIf('enum')) enums.push(readEnum(tokens))
    else if (tokens.takeIf('extend')) this.extend(extensions, messages)
    else if (tokens.text === 'export' || tokens.text === 'local') {
      tokens.take()
      return this.declaration({ messages, enums, extensions })
    } else return false
    return true
  }

  private message(): DescriptorProto {
    const message = create(DescriptorProtoSchema, { name: this.tokens.word() })
    this.body(message)
    return message
  }

  private body(message: DescriptorProto): void {
    const { tokens } = this
    const options: Options = new Map()
    const scope = { messages: message.nestedType, enums: message.enumType, extensions: message.extension }
    tokens.expect('{')
    while (!tokens.takeIf('}')) {
      if (tokens.takeIf(';')) continue
      if (this.isField()) this.addField(message)
      else if (tokens.takeIf('option')) readOption(tokens, options)
      else if (tokens.takeIf('oneof')) this.oneof(message)
      else if (tokens.takeIf('extensions')) this.extensionRanges(message)
      else if (tokens.takeIf('reserved')) skipStatement(tokens)
      else if (!this.declaration(scope)) this.addField(message)
    }
    // Like protoc, adds a oneof for each optional field of proto3, after the declared ones.
    for (const field of message.field.filter(({ proto3Optional }) => proto3Optional)) {
      field.oneofIndex = message.oneofDecl.length
      message.oneofDecl.push(create(OneofDescriptorProtoSchema, { name: `_${field.name}` }))
    }
    const isSet = options.get('message_set_wire_format') === 'true'
    const own = { ...featuresIn(options), ...(isSet ? { messageSetWireFormat: true } : {}) }
    if (Object.keys(own).length > 0) message.options = create(MessageOptionsSchema, own)
  }

  private isField(): boolean {
    return ['optional', 'required', 'repeated', 'map', 'group'].includes(this.tokens.text)
  }

  private field(message: Pick<DescriptorProto, 'nestedType'>): FieldDescriptorProto {
    return readField({
      tokens: this.tokens,
      isProto3: this.isProto3(),
      nest: (nested) => message.nestedType.push(nested),
      readBody: (nested) => this.body(nested),
    })
  }

  /** Parses a field. @throws ProtoProblem for a duplicate number or name, or a number that is out of range */
  private addField(message: DescriptorProto): FieldDescriptorProto {
    const { tokens } = this
    const { at } = tokens
    const field = this.field(message)
    const { name, number } = field
    const fields = this.fieldsOf.get(message) ?? new Map<number | string, FieldDescriptorProto>()
    this.fieldsOf.set(message, fields)
    const other = fields.get(name) ?? fields.get(number)
    const problem =
      other?.name === name
        ? `${message.name} has two fields "${name}"`
        : other
          ? `field number ${number} of "${name}" is that of "${other.name}"`
          : number < 1 || number >= END_OF_NUMBERS
            ? `field number ${number} of "${name}" is out of range, from 1 to ${END_OF_NUMBERS - 1}`
            : null
    if (problem !== null) throw tokens.problem(problem, at)
    fields.set(name, field).set(number, field)
    message.field.push(field)
    return field
  }

  private oneof(message: DescriptorProto): void {
    const { tokens } = this
    const oneofIndex = message.oneofDecl.length
    message.oneofDecl.push(create(OneofDescriptorProtoSchema, { name: tokens.word() }))
    tokens.expect('{')
    while (!tokens.takeIf('}')) {
      if (tokens.takeIf(';')) continue
      if (tokens.takeIf('option')) readOption(tokens, new Map())
      else {
        this.addField(message).oneofIndex = oneofIndex
      }
    }
  }

  private extensionRanges(message: DescriptorProto): void {
    const { tokens } = this
    do {
      const start = Number(tokens.integer())
      const hasEnd = tokens.takeIf('to')
      const end = !hasEnd ? start + 1 : tokens.takeIf('max') ? END_OF_NUMBERS : Number(tokens.integer()) + 1
      message.extensionRange.push({ $typeName: 'google.protobuf.DescriptorProto.ExtensionRange', start, end })
    } while (tokens.takeIf(','))
    readBracketed(tokens)
    tokens.expect(';')
  }

  private extend(extensions: FieldDescriptorProto[], nestedType: DescriptorProto[]): void {
    const { tokens } = this
    const extendee = tokens.path()
    tokens.expect('{')
    while (!tokens.takeIf('}')) {
      if (tokens.takeIf(';')) continue
      const field = this.field({ nestedType })
      field.extendee = extendee
      extensions.push(field)
    }
  }
}
