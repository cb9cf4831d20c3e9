import type { ServerDuplexStream, ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import { lines } from '../support/calls-of-hello.js'
import { until } from '../support/disco.js'
import { registration } from '../support/etcd-state.js'
import { compiled, ReflectingServer } from '../support/reflecting-server.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const FILES = compiled({
  'chat.proto': `syntax = "proto3"; package chat; message Line { string text = 1; int32 n = 2; }
    service Chat {
      rpc Talk (stream Line) returns (stream Line);
      rpc Collect (stream Line) returns (Line);
      rpc Say (Line) returns (Line);
    }`,
})

/** Deadline of each received call in milliseconds since the epoch; Infinity for a call without a deadline. */
const deadlines: unknown[] = []
let received = 0
let server: ReflectingServer

beforeAll(async () => {
  server = new ReflectingServer({ files: FILES, services: ['chat.Chat'] })
  const both = { requestStream: true, responseStream: true }
  server.method('/chat.Chat/Talk', both, ((call: ServerDuplexStream<Buffer, Buffer>) => {
    deadlines.push(call.getDeadline())
    call.on('data', (bytes: Buffer) => {
      received++
      call.write(bytes)
    })
    call.on('end', () => call.end())
  }) as never)
  server.method('/chat.Chat/Collect', { ...both, responseStream: false }, ((
    call: ServerReadableStream<Buffer, Buffer>,
    reply: sendUnaryData<Buffer>,
  ) => {
    const all: Buffer[] = []
    call.on('data', (bytes: Buffer) => all.push(bytes))
    call.on('end', () => reply(null, Buffer.concat(all)))
  }) as never)
  server.method('/chat.Chat/Say', { requestStream: false, responseStream: false }, ((
    call: ServerUnaryCall<Buffer, Buffer>,
    reply: sendUnaryData<Buffer>,
  ) => reply(null, call.request)) as never)
  await server.start()
})
beforeEach(() => etcd.ctl('put', ...registration('chat', server.addr)))
afterAll(() => server[Symbol.asyncDispose]())

const TALK = ['call', 'chat', 'Talk', '-d', '-']

test('call -d - on a terminal sends each line at Enter and prints replies at once; Ctrl-D ends the request', async () => {
  const typed = disco.onTerminal(120, 30, ...TALK)
  await typed.printed('Enter sends one, Ctrl-D ends the request')
  // The terminal echoes the typed text. The reply has no spaces around its colon, which distinguishes it.
  typed.child.stdin?.write('{"text" : "one"}\r')
  await typed.printed('{"text":"one"}')
  typed.child.stdin?.write('{"txt" : "typo"}\r')
  await typed.printed('Did you mean text?')
  typed.child.stdin?.write('{"text" :\r"two"}\r')
  await typed.printed('{"text":"two"}')
  typed.child.stdin?.write('\u0004')
  const { code, stdout } = await typed.exited()
  expect(code, stdout).toBe(0)
  expect(stdout).toContain('2 messages')
  expect(deadlines.at(-1)).toBe(Number.POSITIVE_INFINITY)
})

test('Ctrl-C ends a call typed on a terminal with exit code 130', async () => {
  const typed = disco.onTerminal(120, 30, ...TALK)
  await typed.printed('Ctrl-D ends the request')
  typed.child.stdin?.write('{"text" : "one"}\r')
  await typed.printed('{"text":"one"}')
  const { code, stdout } = await typed.pressCtrlC()
  expect(code, stdout).toBe(130)
})

test.each(['-', '@-'])('each message from a pipe is sent when it arrives: -d %s', async (data) => {
  const piped = disco.start('call', 'chat', 'Talk', '-d', data)
  piped.child.stdin?.write('{"text":"one"}\n')
  await piped.printed('{"text":"one"}')
  piped.child.stdin?.write('{"text":\n"two"}{"n":3}\n')
  await piped.printed('{"n":3}')
  piped.child.stdin?.end('{"text":"last"}')
  const { code, stdout, stderr } = await piped.exited()
  expect(code, stderr).toBe(0)
  expect(lines(stdout)).toEqual([{ text: 'one' }, { text: 'two' }, { n: 3 }, { text: 'last' }])
})

test('call reads a shell pipe with a slow writer, and prints the replies as JSON', async () => {
  const slow = disco.shell(
    `(echo '{"text":"a"}'; sleep 1; echo '{"text":"b"}') | disco call chat Talk -d - --json`,
  )
  const before = received
  await until(
    () => received > before,
    () => 'the first message',
  )
  expect(slow.child.exitCode).toBeNull()
  const { code, stdout, stderr } = await slow.exited()
  expect(code, stderr).toBe(0)
  expect((JSON.parse(stdout) as CallDoc).reply).toEqual([{ text: 'a' }, { text: 'b' }])
})

test('a message from a pipe that cannot be sent ends the call with exit code 2, and the error has its number', async () => {
  const bad = disco.start(...TALK)
  bad.child.stdin?.write('{"text":"one"}\n')
  await bad.printed('{"text":"one"}')
  bad.child.stdin?.write('{"text":5}\n')
  const { code, stdout, stderr } = await bad.exited()
  expect(code, stderr).toBe(2)
  expect(lines(stdout)).toEqual([{ text: 'one' }])
  expect(stderr).toContain('chat.Line')
  const broken = disco.start(...TALK)
  broken.child.stdin?.end('{"text":"one"}\n{"text":\n')
  const ran = await broken.exited()
  expect(ran.code).toBe(2)
  expect(ran.stderr).toContain('Message 2 of standard input is not JSON')
})

test('client-streaming and unary methods also read standard input', async () => {
  const collect = disco.start('call', 'chat', 'Collect', '-d', '-')
  collect.child.stdin?.end('{"text":"one"}\n{"n":4}\n')
  expect(JSON.parse((await collect.exited()).stdout)).toEqual({ text: 'one', n: 4 })
  const say = disco.start('call', 'chat', 'Say', '-d', '-')
  say.child.stdin?.end('{"text":\n"one"}')
  expect(JSON.parse((await say.exited()).stdout)).toEqual({ text: 'one' })
  const typed = disco.onTerminal(120, 30, 'call', 'chat', 'Say', '-d', '-')
  await typed.printed('then Enter and Ctrl-D')
  const { code, stdout } = await typed.pressCtrlC()
  expect(code, stdout).toBe(130)
  expect(stdout).toContain('Interrupted while the data were read')
})

test('a call typed by hand has a deadline only with --deadline', async () => {
  const held = disco.start(...TALK, '--deadline', '1s')
  held.child.stdin?.write('{"text":"one"}\n')
  const { code, stderr } = await held.exited()
  expect(code, stderr).toBe(64 + 4)
  expect(stderr).toContain('DEADLINE_EXCEEDED')
})
