import { create } from '@bufbuild/protobuf'
import {
  Edition,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileOptionsSchema,
} from '@bufbuild/protobuf/wkt'
import { MessageReader } from './messages.js'
import { featuresIn, type Options, readOption } from './options.js'
import { readService } from './services.js'
import { Tokens } from './tokens.js'

/**
 * Parses a .proto file of proto2, proto3 or an edition. Type names stay as written, so the result needs
 * `normalizeFiles`. Comments and custom options are omitted.
 *
 * @param name the name by which other files import the file
 * @throws ProtoProblem for a syntax error, with line and column
 */
export function parseProto(source: string, name: string): FileDescriptorProto {
  return new Parser(new Tokens(source, name)).file()
}

class Parser {
  private readonly result: FileDescriptorProto

  constructor(private readonly tokens: Tokens) {
    this.result = create(FileDescriptorProtoSchema, { name: tokens.name, syntax: 'proto2' })
  }

  file(): FileDescriptorProto {
    const { tokens, result } = this
    const options: Options = new Map()
    const messages = new MessageReader(tokens, () => result.syntax === 'proto3')
    const scope = { messages: result.messageType, enums: result.enumType, extensions: result.extension }
    while (tokens.kind !== 'end') {
      if (tokens.takeIf(';')) continue
      if (tokens.takeIf('syntax')) this.syntax()
      else if (tokens.takeIf('edition')) this.edition()
      else if (tokens.takeIf('package')) this.package()
      else if (tokens.takeIf('import')) this.import()
      else if (tokens.takeIf('option')) readOption(tokens, options)
      else if (tokens.takeIf('service')) result.service.push(readService(tokens))
      else if (!messages.declaration(scope)) throw tokens.unexpected('a declaration')
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

  /** Parses an import. Skips `import option` (edition 2024), which is only for custom options. */
  private import(): void {
    const { tokens } = this
    const isForOptions = tokens.takeIf('option')
    if (!isForOptions && (tokens.text === 'public' || tokens.text === 'weak')) tokens.take()
    const name = tokens.string()
    if (!isForOptions) this.result.dependency.push(name)
    tokens.expect(';')
  }
}
