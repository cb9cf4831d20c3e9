import { create } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  Edition,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumOptionsSchema,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileOptionsSchema,
  MessageOptionsSchema,
  type MethodDescriptorProto,
  MethodDescriptorProtoSchema,
  OneofDescriptorProtoSchema,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { readField } from './fields.js'
import { featuresIn, type Options, readBracketed, readOption } from './options.js'
import { Tokens } from './tokens.js'

/** The maximum number of a field, or an extension, plus 1: ranges exclude their end. */
const MOST_NUMBER = 2 ** 29

/**
 * Reads a .proto file: proto2, proto3 and editions. Type names stay as written; comments and custom options are
 * omitted.
 *
 * @param name the name by which other files import it
 * @throws Error with line and column for a text that is not a .proto file
 */
export function parseProto(source: string, name: string): FileDescriptorProto {
  return new Parser(new Tokens(source, name)).file()
}

/** The container of messages, enums and extensions: a file or a message. */
interface Scope {
  readonly messages: DescriptorProto[]
  readonly enums: EnumDescriptorProto[]
  readonly extensions: FieldDescriptorProto[]
}

class Parser {
  private readonly result: FileDescriptorProto
  /** Fields of each message by number and by name. */
  private readonly taken = new WeakMap<DescriptorProto, Map<number | string, FieldDescriptorProto>>()

  constructor(private readonly tokens: Tokens) {
    this.result = create(FileDescriptorProtoSchema, { name: tokens.name, syntax: 'proto2' })
  }

  file(): FileDescriptorProto {
    const { tokens, result } = this
    const options: Options = new Map()
    const scope = { messages: result.messageType, enums: result.enumType, extensions: result.extension }
    while (tokens.kind !== 'end') {
      if (tokens.takeIf(';')) continue
      if (tokens.takeIf('syntax')) this.syntax()
      else if (tokens.takeIf('edition')) this.edition()
      else if (tokens.takeIf('package')) this.package()
      else if (tokens.takeIf('import')) this.import()
      else if (tokens.takeIf('option')) readOption(tokens, options)
      else if (tokens.takeIf('service')) result.service.push(this.service())
      else if (!this.declaration(scope)) throw tokens.unexpected('a declaration')
    }
    const features = featuresIn(options)
    if (features.features) result.options = create(FileOptionsSchema, features)
    return result
  }

  private syntax(): void {
    this.tokens.expect('=')
    const syntax = this.tokens.string()
    if (syntax !== 'proto2' && syntax !== 'proto3') throw this.tokens.problem(`unknown syntax "${syntax}"`)
    this.result.syntax = syntax
    this.tokens.expect(';')
  }

  private edition(): void {
    this.tokens.expect('=')
    const name = this.tokens.string()
    const edition = Edition[`EDITION_${name}` as keyof typeof Edition]
    if (edition === undefined) throw this.tokens.problem(`unknown edition "${name}"`)
    this.result.syntax = 'editions'
    this.result.edition = edition
    this.tokens.expect(';')
  }

  private package(): void {
    this.result.package = this.tokens.path()
    this.tokens.expect(';')
  }

  /** `import option` (edition 2024) is for custom options alone. */
  private import(): void {
    const { tokens } = this
    const isForOptions = tokens.takeIf('option')
    if (!isForOptions && (tokens.text === 'public' || tokens.text === 'weak')) tokens.take()
    const name = tokens.string()
    if (!isForOptions) this.result.dependency.push(name)
    tokens.expect(';')
  }

  /** @returns false where none begins here */
  private declaration({ messages, enums, extensions }: Scope): boolean {
    const { tokens } = this
    if (tokens.takeIf('message')) messages.push(this.message())
    else if (tokens.takeIf('enum')) enums.push(this.enum())
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
      else if (tokens.takeIf('reserved')) this.skipStatement()
      else if (!this.declaration(scope)) this.addField(message)
    }
    // The oneofs added by the compiler come last.
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
      isProto3: this.result.syntax === 'proto3',
      nest: (nested) => message.nestedType.push(nested),
      readBody: (nested) => this.body(nested),
    })
  }

  /** @throws Error for a number or name that another field of the message has, or a number that no field may have */
  private addField(message: DescriptorProto): FieldDescriptorProto {
    const { tokens } = this
    const { at } = tokens
    const field = this.field(message)
    const { name, number } = field
    const taken = this.taken.get(message) ?? new Map<number | string, FieldDescriptorProto>()
    this.taken.set(message, taken)
    const other = taken.get(name) ?? taken.get(number)
    const what =
      other?.name === name
        ? `${message.name} has two fields "${name}"`
        : other
          ? `field number ${number} of "${name}" is that of "${other.name}"`
          : number < 1 || number >= MOST_NUMBER
            ? `field number ${number} of "${name}" is out of range, from 1 to ${MOST_NUMBER - 1}`
            : null
    if (what !== null) throw tokens.problem(what, at)
    taken.set(name, field).set(number, field)
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
      const end = !hasEnd ? start + 1 : tokens.takeIf('max') ? MOST_NUMBER : Number(tokens.integer()) + 1
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

  private enum(): EnumDescriptorProto {
    const { tokens } = this
    const enumeration = create(EnumDescriptorProtoSchema, { name: tokens.word() })
    const options: Options = new Map()
    tokens.expect('{')
    while (!tokens.takeIf('}')) {
      if (tokens.takeIf(';')) continue
      const name = tokens.word()
      if (name === 'option' && tokens.text !== '=') readOption(tokens, options)
      else if (name === 'reserved' && tokens.text !== '=') this.skipStatement()
      else {
        tokens.expect('=')
        const number = Number(tokens.integer())
        enumeration.value.push({ $typeName: 'google.protobuf.EnumValueDescriptorProto', name, number })
        readBracketed(tokens)
        tokens.expect(';')
      }
    }
    const own = {
      ...featuresIn(options),
      ...(options.get('allow_alias') === 'true' ? { allowAlias: true } : {}),
    }
    if (Object.keys(own).length > 0) enumeration.options = create(EnumOptionsSchema, own)
    return enumeration
  }

  private service(): ServiceDescriptorProto {
    const { tokens } = this
    const service = create(ServiceDescriptorProtoSchema, { name: tokens.word() })
    tokens.expect('{')
    while (!tokens.takeIf('}')) {
      if (tokens.takeIf(';')) continue
      if (tokens.takeIf('option')) readOption(tokens, new Map())
      else {
        tokens.expect('rpc')
        service.method.push(this.rpc())
      }
    }
    return service
  }

  private rpc(): MethodDescriptorProto {
    const { tokens } = this
    const name = tokens.word()
    const input = this.rpcType()
    tokens.expect('returns')
    const output = this.rpcType()
    if (tokens.takeIf('{')) {
      while (!tokens.takeIf('}')) {
        if (tokens.takeIf(';')) continue
        tokens.expect('option')
        readOption(tokens, new Map())
      }
    } else tokens.expect(';')
    return create(MethodDescriptorProtoSchema, {
      name,
      inputType: input.type,
      outputType: output.type,
      ...(input.isStream ? { clientStreaming: true } : {}),
      ...(output.isStream ? { serverStreaming: true } : {}),
    })
  }

  private rpcType(): { readonly type: string; readonly isStream: boolean } {
    const { tokens } = this
    tokens.expect('(')
    // `stream` never begins a type name: like protoc, `stream.Foo` is read as a stream of `.Foo`.
    const isStream = tokens.takeIf('stream')
    const type = tokens.path()
    tokens.expect(')')
    return { type, isStream }
  }

  /** Reserved names and numbers matter to compilers only. */
  private skipStatement(): void {
    while (!this.tokens.takeIf(';')) this.tokens.take()
  }
}
