import { create } from '@bufbuild/protobuf'
import {
  type MethodDescriptorProto,
  MethodDescriptorProtoSchema,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { readOption } from './options.js'
import type { Tokens } from './tokens.js'

/** Parses a service after its keyword. */
export function readService(tokens: Tokens): ServiceDescriptorProto {
  const service = create(ServiceDescriptorProtoSchema, { name: tokens.word() })
  tokens.expect('{')
  while (!tokens.takeIf('}')) {
    if (tokens.takeIf(';')) continue
    if (tokens.takeIf('option')) readOption(tokens, new Map())
    else {
      tokens.expect('rpc')
      service.method.push(readRpc(tokens))
    }
  }
  return service
}

function readRpc(tokens: Tokens): MethodDescriptorProto {
  const name = tokens.word()
  const input = readRpcType(tokens)
  tokens.expect('returns')
  const output = readRpcType(tokens)
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

function readRpcType(tokens: Tokens): { readonly type: string; readonly isStream: boolean } {
  tokens.expect('(')
  // `stream` is always the keyword, as in protoc: `stream.Foo` is a stream of `.Foo`.
  const isStream = tokens.takeIf('stream')
  const type = tokens.path()
  tokens.expect(')')
  return { type, isStream }
}
