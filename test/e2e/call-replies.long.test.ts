import { expect, test } from 'vitest'
import type { CallDoc, CallLineDoc } from '../../src/cli/call/document.js'
import { callsOfHello, FROM_PROTO, lines } from '../support/calls-of-hello.js'
import type { Ran } from '../support/disco.js'
import { startEchoServer } from '../support/echo-server.js'
import { wipe } from '../support/etcd-state.js'
import { temporaryFile } from '../support/temporary-file.js'

const hello = await callsOfHello()

/**
 * Calls a server that returns the bytes of the request. The reply may therefore differ from the type in its
 * description.
 */
async function echo(...args: string[]): Promise<Ran> {
  await using server = await startEchoServer([])
  await wipe(hello.etcd)
  await hello.put(server.addr)
  return await hello.disco.run('call', 'hello', 'One', ...args)
}

test('a reply above 4 MiB is refused with the flag that allows it; reflection accepts larger replies', async () => {
  const data = JSON.stringify({ aString: 'x'.repeat(5 * 2 ** 20) })
  await using file = await temporaryFile('data.json', data)
  await using server = await startEchoServer(['grpc.reflection.v1'], { commentBytes: 5 * 2 ** 20 })
  await wipe(hello.etcd)
  await hello.put(server.addr)
  for (const method of ['One', 'Both']) {
    const args = ['call', 'hello', method, '-d', `@${file.path}`]
    const refused = await hello.disco.run(...args)
    expect(refused, refused.stderr).toMatchObject({ code: 64 + 8, stdout: '' })
    expect(refused.stderr).toContain(
      'RESOURCE_EXHAUSTED: Received message larger than max (5242885 vs 4194304)',
    )
    expect(refused.stderr).toContain('--max-message-size')
    const taken = await hello.disco.run(...args, '--max-message-size', '6MB')
    expect(taken.code, taken.stderr).toBe(0)
    expect(JSON.parse(taken.stdout)).toEqual(JSON.parse(data))
  }
  const invalid = await hello.disco.run('call', 'hello', 'One', '--max-message-size', '4 apples')
  expect(invalid).toMatchObject({ code: 2 })
  expect(invalid.stderr).toContain('Invalid --max-message-size "4 apples": expected a size')
})

const ODD = `syntax = "proto2"; package everything;
  import "google/protobuf/any.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/timestamp.proto";
  import "no/where.proto";
  message Wrapped { optional string type_url = 1; optional bytes value = 2; }
  message Stamp { optional int64 seconds = 1; }
  message Number { optional double number_value = 2; }
  message Sent {
    repeated Wrapped any = 1; optional Stamp at = 2; optional Number free = 3; optional Stamp gone = 5;
    optional string extra = 6; optional fixed64 more = 7;
  }
  message Got {
    repeated google.protobuf.Any any = 1; optional google.protobuf.Timestamp at = 2;
    optional google.protobuf.Value free = 3; required int32 needed = 4; optional no.Where gone = 5;
  }
  service Echo { rpc One (Sent) returns (Got); }`

const SENT = {
  any: [
    { typeUrl: 'x/no.Such', value: 'AQI=' },
    { typeUrl: 'x/everything.Stamp', value: 'CAc=' },
    { typeUrl: 'x/everything.Stamp', value: '/w==' },
  ],
  at: { seconds: '999999999999' },
  free: { numberValue: 'NaN' },
  gone: { seconds: '7' },
  extra: 'text',
  more: '8',
}

const GOT = {
  any: [
    { '@type': 'x/no.Such', '@value': 'AQI=' },
    { '@type': 'x/everything.Stamp', seconds: '7' },
    { '@type': 'x/everything.Stamp', '@value': '/w==', '@note': expect.any(String) as string },
  ],
  at: { seconds: '999999999999', '@note': expect.stringContaining('9999-12-31') as string },
  free: { numberValue: 'NaN', '@note': expect.stringContaining('NaN') as string },
  gone: { '@type': 'no.Where', '@value': 'CAc=' },
  '@unknown': [
    { field: 6, bytes: 'dGV4dA==' },
    { field: 7, fixed64: '8' },
  ],
  '@note': 'required and not set: needed',
}

test('values without a JSON form or a description are shown as raw bytes beside the others', async () => {
  await using file = await temporaryFile('odd.proto', ODD)
  const args = ['--proto', file.path, '-d', JSON.stringify(SENT)]
  const single = await echo(...args)
  expect(single.code, single.stderr).toBe(0)
  expect(JSON.parse(single.stdout)).toEqual(GOT)
  const many = await echo(...args, '--n', '2', '-o', 'ndjson')
  expect(many.code, many.stderr).toBe(0)
  expect(lines<CallLineDoc>(many.stdout).map(({ reply }) => reply)).toEqual([GOT, GOT])
})

/** A google.rpc.Status with two details: an ErrorInfo with a reason, and a message of an unknown type. */
const STATUS = Buffer.concat([
  part(3, part(1, 'type.googleapis.com/google.rpc.ErrorInfo'), part(2, part(1, 'NO_STOCK'))),
  part(3, part(1, 'x/no.Such'), part(2, 'abc')),
]).toString('base64')

/** A length-delimited field in protobuf’s wire format. */
function part(number: number, ...content: (string | Buffer)[]): Buffer {
  const bytes = Buffer.concat(content.map((one) => Buffer.from(one)))
  return Buffer.concat([Buffer.of(number * 8 + 2, bytes.length), bytes])
}

test('the details of an error are decoded', async () => {
  const details = [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'NO_STOCK' },
    { '@type': 'x/no.Such', '@value': 'YWJj' },
  ]
  const args = [...FROM_PROTO, '-H', `x-details-bin=${STATUS}`]
  const single = await echo(...args)
  expect(single.code).toBe(64 + 3)
  const [first = {}, second = {}] = details
  expect(
    single.stderr
      .split('\n')
      .slice(1, 3)
      .map((line) => JSON.parse(line)),
  ).toEqual([expect.objectContaining(first), expect.objectContaining(second)])
  const [line] = lines<CallLineDoc>((await echo(...args, '-o', 'ndjson')).stdout)
  expect(line?.errorDetails).toEqual(details)
  const doc = JSON.parse((await echo(...args, '--json', '--n', '2')).stdout) as CallDoc
  expect(doc.firstFailure?.errorDetails).toEqual(details)
})

test('fields with default values are omitted, unless --emit-defaults is given', async () => {
  const [bare, full] = [await echo(...FROM_PROTO), await echo(...FROM_PROTO, '--emit-defaults')]
  expect(JSON.parse(bare.stdout)).toEqual({})
  expect(JSON.parse(full.stdout)).toMatchObject({ aString: '', anInt64: '0', aBool: false })
})

test('headers are sent with reflection unless disabled, and --authority with the calls', async () => {
  await using server = await startEchoServer(['grpc.reflection.v1'], { token: 'Bearer 1' })
  await wipe(hello.etcd)
  await hello.put(server.addr)
  const run = (...args: string[]) => hello.disco.run('call', 'hello', 'One', '-v', ...args)
  const header = ['-H', 'authorization=Bearer {{n}}']
  const sent = await run(...header, '--authority', 'other.example:443')
  expect(sent.code, sent.stderr).toBe(0)
  expect(sent.stderr).toContain('< header x-authority: other.example:443\n')
  const heldBack = await run(...header, '--no-reflect-headers')
  expect(heldBack).toMatchObject({ code: 7, stdout: '' })
  expect(heldBack.stderr).toContain('UNAUTHENTICATED: no token')
  const forbidden = await run('-H', 'Connection: close')
  expect(forbidden).toMatchObject({ code: 2, stdout: '' })
  expect(forbidden.stderr).toContain('--header "connection" is not allowed in HTTP/2')
})
