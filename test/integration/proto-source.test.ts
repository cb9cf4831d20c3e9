import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromBinary, toJson } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { normalizeFiles } from '../../src/grpc/methods/normalize-descriptors.js'
import { parseProto } from '../../src/grpc/methods/proto-source/parse.js'
import { GOOGLE_PROTOS, PROTOS, protoc } from '../support/protoc.js'

const OWN = ['everything.proto', 'legacy.proto', 'options.proto', 'groups.proto']
const GOOGLE = readdirSync(join(GOOGLE_PROTOS, 'google/protobuf'))
  .filter((name) => name.endsWith('.proto'))
  .map((name) => `google/protobuf/${name}`)

function compiled(): readonly FileDescriptorProto[] {
  const folder = mkdtempSync(join(tmpdir(), 'disco-compiled-'))
  try {
    protoc(['-o', join(folder, 'set.bin'), ...OWN, ...GOOGLE])
    return fromBinary(FileDescriptorSetSchema, readFileSync(join(folder, 'set.bin'))).file
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
}

/** Members that only compilers need, or that are derived from other files. */
const LEFT_OUT = new Set([
  'reservedRange',
  'reservedName',
  'dependency',
  'publicDependency',
  'sourceCodeInfo',
])
const KEPT_OPTIONS = new Set(['mapEntry', 'packed', 'allowAlias', 'messageSetWireFormat'])

function essence(value: unknown, holder = ''): unknown {
  if (Array.isArray(value)) return value.map((element) => essence(element))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name, member]) =>
    holder === 'options' ? KEPT_OPTIONS.has(name) && member === true : !LEFT_OUT.has(name),
  )
  const members = kept.map(([name, member]) => [name, essence(member, name)] as const)
  return Object.fromEntries(
    members.filter(([name, member]) => name !== 'options' || Object.keys(member as object).length > 0),
  )
}

function described(files: readonly FileDescriptorProto[]): ReadonlyMap<string, unknown> {
  return new Map(
    normalizeFiles(files).files.map((file) => [
      file.name,
      essence({ syntax: 'proto2', ...(toJson(FileDescriptorProtoSchema, file) as object) }),
    ]),
  )
}

test('the parser reads our .proto files and all of Google’s like protoc', () => {
  const read = (folder: string) => (name: string) =>
    parseProto(readFileSync(join(folder, name), 'utf8'), name)
  const ours = described([...OWN.map(read(PROTOS)), ...GOOGLE.map(read(GOOGLE_PROTOS))])
  const theirs = described(compiled())
  expect([...ours.keys()].toSorted()).toEqual([...theirs.keys()].toSorted())
  expect(ours.size).toBeGreaterThanOrEqual(OWN.length + GOOGLE.length)
  for (const [name, file] of theirs) expect(ours.get(name), name).toEqual(file)
})
