import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema, SourceCodeInfoSchema } from '@bufbuild/protobuf/wkt'
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Etcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { compiled, ReflectingServer } from '../support/reflecting-server.js'
import { ResidentTool } from '../support/resident-tool.js'
import { sharedEtcd } from '../support/shared-etcd.js'

/** Modelled on google/api/annotations.proto and validate.proto: custom options with messages in them. */
const OPTIONS = {
  'acme/api/http.proto': `syntax = "proto3"; package acme.api;
    message HttpRule {
      string selector = 1;
      oneof pattern { string get = 2; string post = 4; }
      string body = 7;
      repeated HttpRule additional_bindings = 11;
    }`,
  'acme/api/annotations.proto': `syntax = "proto3"; package acme.api;
    import "acme/api/http.proto"; import "google/protobuf/descriptor.proto";
    extend google.protobuf.MethodOptions { HttpRule http = 72295728; }`,
  'acme/validate/validate.proto': `syntax = "proto2"; package acme.validate;
    import "google/protobuf/descriptor.proto"; import "google/protobuf/duration.proto";
    extend google.protobuf.FieldOptions { optional FieldRules rules = 1071; }
    extend google.protobuf.OneofOptions { optional bool required = 1071; }
    message FieldRules { oneof type { StringRules string = 14; Int64Rules int64 = 4; RepeatedRules repeated = 18; } }
    message StringRules { optional uint64 min_len = 2; optional string pattern = 6; repeated string in = 10; }
    message Int64Rules { optional int64 gte = 5; }
    message RepeatedRules { optional FieldRules items = 4; optional google.protobuf.Duration within = 5; }`,
}

const PARTS = 300

const SOURCES: Record<string, string> = {
  ...OPTIONS,
  ...Object.fromEntries(
    Array.from({ length: PARTS }, (_, at) => [
      `acme/parts/part${at}.proto`,
      `syntax = "proto3"; package acme.parts; ${at > 0 ? `import "acme/parts/part${at - 1}.proto";` : ''}
       import "acme/validate/validate.proto";
       message Part${at} {
         string name = 1 [(acme.validate.rules).string = { min_len: 1, pattern: "^[a-z]{1,3}\\\\.?$" in: ["a", "b"] }];
         int64 id = 2 [(acme.validate.rules).int64.gte = -9223372036854775808, deprecated = true];
         ${at > 0 ? `Part${at - 1} previous = 3;` : ''}
       }`,
    ]),
  ),
  'acme/shop.proto': `syntax = "proto3"; package acme;
    import "acme/api/annotations.proto"; import "acme/validate/validate.proto";
    import "acme/parts/part${PARTS - 1}.proto"; import "acme/parts/part0.proto";
    message Order {
      parts.Part${PARTS - 1} last = 1;
      repeated parts.Part0 first = 2 [(acme.validate.rules).repeated = {
        items { string { min_len: 2 } } within { seconds: 5 nanos: 1 }
      }];
      oneof kind { option (acme.validate.required) = true; string text = 3; bytes raw = 4; }
    }
    service Shop {
      rpc Buy (Order) returns (Order) {
        option (acme.api.http) = {
          get: "/v1/{name=shelves/*}/books"
          additional_bindings { post: "/v2/books" body: "*" }
          additional_bindings: [{ get: "/v3" }, < get: '/v4' >]
        };
        option deprecated = true;
      }
    }`,
}

const ORDER = {
  last: { name: 'z', id: '-9223372036854775808', previous: { name: 'y' } },
  first: [{ id: '9007199254740993' }],
  raw: '/w==',
}

let etcd: Etcd
let tool: ResidentTool
let server: ReflectingServer
let folder: string

beforeAll(async () => {
  etcd = await sharedEtcd()
  tool = new ResidentTool(etcd.endpoint)
  folder = await mkdtemp(join(tmpdir(), 'disco-large-'))
  const files = compiled(SOURCES)
  const last = files.findIndex(({ name }) => name === 'acme/shop.proto')
  // Descriptor sets with source info consist mostly of comments, here 12 MB.
  const location = Array.from({ length: 12 }, () => ({ leadingComments: 'x'.repeat(2 ** 20) }))
  const commented = files.map((file, at) =>
    at === last ? { ...file, sourceCodeInfo: create(SourceCodeInfoSchema, { location }) } : file,
  )
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: commented }))
  await writeFile(join(folder, 'set.bin'), set)
  for (const [name, source] of Object.entries(SOURCES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), source)
  }
  server = await new ReflectingServer({ files: commented, services: ['acme.Shop'] })
    .method('/acme.Shop/Buy', { requestStream: false, responseStream: false }, ((
      sent: ServerUnaryCall<Buffer, Buffer>,
      reply: sendUnaryData<Buffer>,
    ) => reply(null, sent.request)) as never)
    .start()
  await etcd.ctl('put', ...registration('shop', server.addr))
}, 60_000)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await tool[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, maxRetries: 5 })
})

test('call handles 300 files with annotations and validation rules, and 12 MB of descriptors, by reflection, --protoset and --proto', async () => {
  const ways = [
    [],
    ['--protoset', join(folder, 'set.bin')],
    ['--proto', 'acme/shop.proto', '--import-path', folder],
  ]
  for (const way of ways) {
    const args = ['call', 'shop', 'Buy', '-d', JSON.stringify(ORDER), ...way]
    const { code, stdout, stderr } = await tool.run(...args)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toEqual(ORDER)
    const described = await tool.run('call', 'shop', 'Buy', '--describe', '--json', ...way)
    const doc = JSON.parse(described.stdout)
    expect(doc).toMatchObject({ truncated: true, gaps: [], method: 'acme.Shop/Buy' })
    expect(doc.proto).toContain('message acme.parts.Part298 {')
  }
})
