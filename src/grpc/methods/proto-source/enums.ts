import { create } from '@bufbuild/protobuf'
import {
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumOptionsSchema,
} from '@bufbuild/protobuf/wkt'
import { featuresIn, type Options, readBracketed, readOption } from './options.js'
import type { Tokens } from './tokens.js'

/** Parses an enum after its keyword. */
export function readEnum(tokens: Tokens): EnumDescriptorProto {
  const enumeration = create(EnumDescriptorProtoSchema, { name: tokens.word() })
  const options: Options = new Map()
  tokens.expect('{')
  while (!tokens.takeIf('}')) {
    if (tokens.takeIf(';')) continue
    const name = tokens.word()
    if (name === 'option' && tokens.text !== '=') readOption(tokens, options)
    else if (name === 'reserved' && tokens.text !== '=') skipStatement(tokens)
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

/** Skips a statement that does not affect how messages are decoded, such as `reserved`. */
export function skipStatement(tokens: Tokens): void {
  while (!tokens.takeIf(';')) tokens.take()
}
