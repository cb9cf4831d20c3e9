import { describe, expect, test } from 'vitest'
import type { CallDoc, CallLineDoc } from '../../src/cli/call/document.js'
import { callsOfHello, FROM_PROTO, lines, SOON } from '../support/calls-of-hello.js'
import { deadEndpoints } from '../support/dead-endpoints.js'
import type { Ran } from '../support/disco.js'
import { startEchoServer } from '../support/echo-server.js'
import { wipe } from '../support/etcd-state.js'
import { temporaryFile } from '../support/temporary-file.js'

const hello = await callsOfHello()
const dead = await deadEndpoints()

/**
 * Registers the server beside endpoints that do not serve. The one that sends GOAWAY does serve, but without these
 * methods, so it is not among them.
 */
async function putAmongDead(addr: string): Promise<void> {
  await hello.putAll({ addr }, { addr: dead.refused }, { addr: dead.reset }, { addr: dead.mute })
}

test('a server without reflection is named, with the flags that provide a description instead', async () => {
  await using server = await startEchoServer([])
  await putAmongDead(server.addr)
  const { code, stderr } = await hello.disco.run('call', 'hello', 'One')
  expect({ code, stderr }).toEqual({
    code: 7,
    stderr:
      `✗ The server at ${server.addr} has no reflection, neither v1 nor v1alpha\n` +
      '  Describe the method by its file: --proto FILE [--import-path DIR], or --protoset FILE\n',
  })
  expect((await hello.disco.run('call', 'hello', 'One', ...FROM_PROTO)).code).toBe(0)
})

describe('methods that stream', () => {
  async function echo(method: string, ...args: string[]): Promise<Ran> {
    await using server = await startEchoServer(['grpc.reflection.v1alpha'])
    await putAmongDead(server.addr)
    return await hello.disco.run('call', 'hello', method, ...args)
  }

  test.each([
    ['One', '{"aString":"a"}', ['a']],
    ['Down', '{"aString":"a"}', ['a', 'a', 'a']],
    ['Up', '{"aString":"a"}\n{"aString":"b"}', ['b']],
    ['Both', '{"aString":"a"}\n{"aString":"b"}', ['a', 'b']],
  ])('%s prints each reply, streamed replies one per line', async (method, data, texts) => {
    const ran = await echo(method, '-d', data)
    expect(ran.code, ran.stderr).toBe(0)
    const printed = method === 'Down' || method === 'Both' ? lines(ran.stdout) : [JSON.parse(ran.stdout)]
    expect(printed).toEqual(texts.map((aString) => ({ aString })))
    await wipe(hello.etcd)
    const doc = JSON.parse((await echo(method, '-d', data, '--json', ...FROM_PROTO)).stdout) as CallDoc
    expect(doc.reply).toEqual(method === 'Down' || method === 'Both' ? printed : printed[0])
  })

  test('count as one call each in a run, with all replies in one line and all digits of 64-bit numbers', async () => {
    const ran = await echo(
      'Both',
      '-d',
      '{"anInt32":1}\n{"anInt64":-1859648232592957566}',
      '--n',
      '3',
      '-o',
      'ndjson',
      ...SOON,
    )
    expect(lines<CallLineDoc>(ran.stdout).map(({ reply }) => reply)).toEqual(
      [1, 2, 3].map(() => [{ anInt32: 1 }, { anInt64: '-1859648232592957566' }]),
    )
  })

  test.each(['table', 'json', 'ndjson'])(
    'exit 7 if a reply is not a valid message, and show its bytes: %s',
    async (format) => {
      await using file = await temporaryFile(
        'other.proto',
        `syntax = "proto3"; package everything; message Text { string a_string = 14; }
      message Number { int32 a = 1; } message Other { Number a_string = 14; }
      service Echo { rpc Down (Text) returns (stream Other); }`,
      )
      const ran = await echo('Down', '--proto', file.path, '-d', '{"aString":"no message"}', '-o', format)
      expect(ran.code, ran.stderr).toBe(7)
      expect(ran.stderr).toContain('The reply is not a valid everything.Other')
      expect(ran.stderr).toContain('another version of the .proto')
      expect(ran.stderr).not.toMatch(/^\s+at /m)
      const printed = format === 'json' ? [JSON.parse(ran.stdout) as CallDoc] : lines<CallDoc>(ran.stdout)
      const replies = format === 'table' ? printed : printed.flatMap(({ reply }) => reply)
      const shown = { '@type': 'everything.Other', '@value': 'cgpubyBtZXNzYWdl' }
      expect(replies).toEqual([1, 2, 3].map(() => expect.objectContaining(shown)))
    },
  )

  test('send and receive messages larger than the flow control window', async () => {
    const text = 'x'.repeat(200_000)
    await using file = await temporaryFile('data.json', `${JSON.stringify({ aString: text })}\n`.repeat(5))
    const ran = await echo('Both', '-d', `@${file.path}`)
    expect(lines<{ aString: string }>(ran.stdout).map(({ aString }) => aString.length)).toEqual(
      Array.from({ length: 5 }, () => text.length),
    )
  })

  test('send headers from flags and files, and show returned headers and trailers with -v', async () => {
    await using file = await temporaryFile('headers', '# comment\nx-b: from a file\n')
    const args = ['-H', 'x-a=1 {{n}}', '-H', `@${file.path}`, '-H', 'x-c-bin=AP8=']
    const ran = await echo('One', '-v', ...args)
    expect(ran.code, ran.stderr).toBe(0)
    const expected = ['header x-a: 1 1', 'header x-b: from a file', 'header x-c-bin: AP8=']
    for (const line of [...expected, 'trailer x-a-too: 1 1', 'trailer x-c-too-bin: AP8=']) {
      expect(ran.stderr).toContain(`< ${line}\n`)
    }
    expect(ran.stderr).not.toContain('disco-call')
  })
})
