import { create, createFileRegistry, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Metadata, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Etcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { compiled, ReflectingServer } from '../support/reflecting-server.js'
import { ResidentTool } from '../support/resident-tool.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd
let tool: ResidentTool

beforeAll(async () => {
  etcd = await sharedEtcd()
  tool = new ResidentTool(etcd.endpoint)
})
afterAll(async () => {
  await tool[Symbol.asyncDispose]()
})

async function call(service: string, server: ReflectingServer, ...args: string[]) {
  await etcd.ctl('put', ...registration(service, server.addr))
  return await tool.run('call', service, ...args)
}

/** Forty services, each in a file that imports a shared file. */
const FORTY = Array.from({ length: 40 }, (_, at) => `many.S${at}`)
const MANY = compiled({
  'many/shared.proto': 'syntax = "proto3"; package many; message Shared { string name = 1; }',
  ...Object.fromEntries(
    FORTY.map((name, at) => [
      `many/s${at}.proto`,
      `syntax = "proto3"; package many; import "many/shared.proto";
       service ${name.slice(5)} { rpc Do${at} (Shared) returns (Shared); }`,
    ]),
  ),
})

test.each([
  ['a server that closes the stream behind each answer', { closesEarly: true }],
  ['a server that has v1alpha alone', { packages: ['grpc.reflection.v1alpha'] as const }],
  ['a server that waits until it is asked for 20 files at a time', { holdsBack: 20 }],
])('all services of %s are described', async (what, traits) => {
  await using server = await new ReflectingServer({ files: MANY, services: FORTY, ...traits }).start()
  const { code, stdout, stderr } = await call(what.replaceAll(' ', '-'), server, '-o', 'name')
  expect(code, stderr).toBe(0)
  expect(stdout.trim().split('\n')).toEqual(FORTY.map((name, at) => `${name}/Do${at}`))
  expect(stderr).toBe('')
  // A file that was received is not requested again, even if its stream ended after the answer.
  const asked = server.questions.filter(({ fileByFilename }) => fileByFilename === 'many/shared.proto')
  expect(asked).toHaveLength(1)
})

test('a type is found even if the server and the importing file use different names for its file', async () => {
  const files = compiled({
    'acme/api/money.proto': 'syntax = "proto3"; package acme; message Money { int64 cents = 1; }',
    'shop.proto': `syntax = "proto3"; package shop; import "acme/api/money.proto";
      message Order { acme.Money price = 1; } service Shop { rpc Buy (Order) returns (Order); }`,
  })
  const [money, shop] = files
  if (!money || !shop) throw new Error('protoc left a file out')
  const elsewhere = create(FileDescriptorProtoSchema, { ...money, name: 'api/money.proto' })
  // Go servers answer with an empty file descriptor for a file that they do not have.
  const placeholder = create(FileDescriptorProtoSchema, { name: 'acme/api/money.proto', syntax: 'proto3' })
  for (const more of [[elsewhere], [placeholder, elsewhere]]) {
    const traits = { files: [shop, ...more], services: ['shop.Shop'] }
    await using server = new ReflectingServer(traits).method(
      '/shop.Shop/Buy',
      { requestStream: false, responseStream: false },
      ((call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
        reply(null, call.request)) as never,
    )
    const ran = await call(
      `import-${more.length}`,
      await server.start(),
      'Buy',
      '-d',
      '{"price":{"cents":5}}',
    )
    expect(ran.code, ran.stderr).toBe(0)
    expect(JSON.parse(ran.stdout)).toEqual({ price: { cents: '5' } })
  }
})

test('listed services without a description are named, and so are missing imports of described services', async () => {
  const files = compiled({
    'gone.proto': 'syntax = "proto3"; package gone; message Type { string name = 1; }',
    'half.proto': `syntax = "proto3"; package half; import "gone.proto";
      message Order { gone.Type type = 1; string id = 2; } service Half { rpc Do (Order) returns (Order); }`,
  }).filter(({ name }) => name !== 'gone.proto')
  const services = ['half.Half', 'half.Other']
  await using server = await new ReflectingServer({ files, services }).start()
  const { code, stdout, stderr } = await call('half', server, '-o', 'name')
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'half.Half/Do\n' })
  expect(stderr).toContain('Listed, but not described: half.Other')
  expect(stderr).toContain('gone.Type is not described: half.proto imports gone.proto, which is missing')
})

/** A service that uses types in an Any and in extensions, which its own file does not import. */
const MET = compiled({
  'met/deep.proto': 'syntax = "proto3"; package met; message Deep { int64 id = 1; }',
  'met/event.proto': `syntax = "proto3"; package met; import "google/protobuf/any.proto";
    message Event { string name = 1; google.protobuf.Any inner = 2; }`,
  'met/more.proto': `syntax = "proto2"; package met; import "met/service.proto"; import "met/deep.proto";
    extend Envelope { optional Deep more = 150; repeated sint64 counts = 151; }`,
  'met/service.proto': `syntax = "proto2"; package met; import "google/protobuf/any.proto";
    message Envelope { optional google.protobuf.Any any = 1; extensions 100 to 200; }
    service Met {
      rpc One (Envelope) returns (Envelope);
      rpc Many (Envelope) returns (stream Envelope);
      rpc Some (Envelope) returns (Envelope);
      rpc Fail (Envelope) returns (Envelope);
    }`,
})

const EVENT = {
  '@type': 'type.googleapis.com/met.Event',
  name: 'x',
  inner: { '@type': 'type.googleapis.com/met.Deep', id: '9007199254740993' },
}
const ENVELOPE = { any: EVENT, '[met.more]': { id: '7' }, '[met.counts]': ['-1', '2'] }

const ALL_TYPES = createFileRegistry(create(FileDescriptorSetSchema, { file: MET }))

function bytesOf(type: string, json: JsonValue): Buffer {
  const desc = ALL_TYPES.getMessage(type)
  if (!desc) throw new Error(`no ${type}`)
  return Buffer.from(toBinary(desc, fromJson(desc, json, { registry: ALL_TYPES })))
}

function metServer(packages: ['grpc.reflection.v1' | 'grpc.reflection.v1alpha']): ReflectingServer {
  const unary = { requestStream: false, responseStream: false }
  return new ReflectingServer({ files: MET, services: ['met.Met'], packages })
    .method('/met.Met/One', unary, ((sent: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
      reply(null, sent.request)) as never)
    .method('/met.Met/Many', { ...unary, responseStream: true }, ((
      sent: ServerWritableStream<Buffer, Buffer>,
    ) => {
      for (const bytes of [Buffer.alloc(0), sent.request, Buffer.alloc(0)]) sent.write(bytes)
      sent.end()
    }) as never)
    .method('/met.Met/Fail', unary, ((_: unknown, reply: sendUnaryData<Buffer>) => {
      const metadata = new Metadata()
      // The fields of a google.rpc.Status: code, message, and an Any in its details.
      const any = bytesOf('google.protobuf.Any', EVENT)
      metadata.set('grpc-status-details-bin', Buffer.from([0x08, 3, 0x1a, any.length, ...any]))
      reply({ code: 3, details: 'refused', metadata })
    }) as never)
}

test.each([['grpc.reflection.v1'], ['grpc.reflection.v1alpha']] as const)(
  'types in an Any and extensions are requested when a message contains them: %s',
  async (pkg) => {
    await using server = await metServer([pkg]).start()
    const data = ['-d', JSON.stringify(ENVELOPE)]
    const one = await call(pkg, server, 'One', ...data)
    expect(one.code, one.stderr).toBe(0)
    expect(JSON.parse(one.stdout)).toEqual(ENVELOPE)
    const many = await call(pkg, server, 'Many', ...data)
    expect(many.code, many.stderr).toBe(0)
    expect(
      many.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([{}, ENVELOPE, {}])
  },
)

test('types that occur only in replies and error details are requested once each, and lines keep their order', async () => {
  await using server = metServer(['grpc.reflection.v1'])
  let calls = 0
  const isThird = () => ++calls % 3 === 0
  server.method('/met.Met/Some', { requestStream: false, responseStream: false }, ((
    _: unknown,
    reply: sendUnaryData<Buffer>,
  ) => reply(null, isThird() ? bytesOf('met.Envelope', ENVELOPE) : Buffer.alloc(0))) as never)
  await server.start()
  const ran = await call('some', server, 'Some', '--n', '6', '-c', '1', '-o', 'ndjson')
  expect(ran.code, ran.stderr).toBe(0)
  const lines = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.map(({ reply }) => reply)).toEqual([{}, {}, ENVELOPE, {}, {}, ENVELOPE])
  const symbols = server.questions.flatMap(({ fileContainingSymbol }) => fileContainingSymbol ?? [])
  // met.Deep is not requested, because the file of an extension imports it.
  expect(symbols.toSorted()).toEqual(['met.Event', 'met.Met'])
  const failed = await call('fails', server, 'Fail')
  expect(failed.code).toBe(64 + 3)
  expect(failed.stderr).toContain(JSON.stringify(EVENT))
  const doc = JSON.parse((await call('fails', server, 'Fail', '--json')).stdout)
  expect(doc.firstFailure.errorDetails).toEqual([EVENT])
})

test('an Any of a type that the server does not know is shown as bytes', async () => {
  const files = MET.filter(({ name }) => name.startsWith('google/') || name === 'met/service.proto')
  await using server = await new ReflectingServer({ files, services: ['met.Met'] })
    .method('/met.Met/One', { requestStream: false, responseStream: false }, ((
      _: unknown,
      reply: sendUnaryData<Buffer>,
    ) => reply(null, bytesOf('met.Envelope', ENVELOPE))) as never)
    .start()
  const { code, stdout, stderr } = await call('unknown', server, 'One')
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    any: { '@type': 'type.googleapis.com/met.Event', '@value': expect.any(String) },
    '@unknown': [{ field: 150 }, { field: 151 }, { field: 151 }],
  })
})
