import { describe, expect, test } from 'vitest'
import type { CallLineDoc } from '../../src/cli/call/document.js'
import { callsOfHello, lines } from '../support/calls-of-hello.js'
import { hundredGreeters } from '../support/greeters.js'
import { expectShape } from '../support/shape.js'
import { temporaryFile } from '../support/temporary-file.js'

const hello = await callsOfHello()
const hundred = await hundredGreeters()

describe('the content of a call', () => {
  async function replies(...args: string[]): Promise<string[]> {
    await hundred.register(hello.etcd)
    const printed = lines<CallLineDoc>(await hello.output('SayHello', '-o', 'ndjson', ...args))
    return printed.map(({ reply }) => (reply as { message: string }).message)
  }

  test('has its placeholders filled in for each call', async () => {
    expect(await replies('--n', '3', '-d', '{"name":"user-{{n}}"}')).toEqual([
      'Hello user-1',
      'Hello user-2',
      'Hello user-3',
    ])
    const ids = await replies('--n', '3', '-d', '{"name":"{{uuid}} {{now}}"}')
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^Hello [0-9a-f-]{36} \d{4}-\d\d-\d\dT[\d:.]+Z$/)
  })

  test('cycles through several messages, one per call', async () => {
    const three = '{"name":"a"}\n{"name":"b"}\n\n{"name":"c"}\n'
    expect(await replies('--n', '4', '-d', three)).toEqual(['Hello a', 'Hello b', 'Hello c', 'Hello a'])
  })

  test('is read from standard input', async () => {
    await hundred.register(hello.etcd)
    const running = hello.disco.start('call', 'hello', 'SayHello', '-d', '@-')
    running.child.stdin?.end('{"name":"piped"}\n')
    const { stdout } = await running.exited()
    expect(JSON.parse(stdout)).toMatchObject({ message: 'Hello piped' })
  })
})

describe('call without calls', () => {
  test('lists the methods of a service, and describes a method with --describe', async () => {
    await hundred.register(hello.etcd)
    expectShape('methods', JSON.parse(await hello.output('--json')))
    expect(await hello.output('-o', 'name')).toBe('helloworld.Greeter/SayHello\n')
    const described = await hello.output('SayHello', '--describe')
    expect(described).toContain('message helloworld.HelloRequest {\n  string name = 1;\n}')
    expect(described).toContain('{\n  "name": ""\n}')
    expectShape('method', JSON.parse(await hello.output('SayHello', '--describe', '--json')))
  })
})

test('missing imports of a .proto file are named when its methods are listed', async () => {
  const source = `syntax = "proto3"; import "no/where.proto"; message A { no.B b = 1; }
    service S { rpc Do(A) returns (A); }`
  await using file = await temporaryFile('gap.proto', source)
  const ran = await hello.disco.run('call', 'hello', '--proto', file.path, '-o', 'name')
  expect(ran).toMatchObject({ code: 0, stdout: 'S/Do\n' })
  expect(ran.stderr).toContain('imports no/where.proto, which is missing')
})

describe('call refuses with exit code 2', () => {
  const refused: [what: string, args: string[], message: string][] = [
    ['an unknown placeholder', ['-d', '{"name":"{{uid}}"}'], 'Available: {{n}}, {{uuid}}, {{now}}'],
    ['one in a header', ['-H', 'a={{uid}}'], 'Unknown placeholder {{uid}} in the header a'],
    [
      'one in a hash key',
      ['--policy', 'ring_hash', '--hash-key', '{{uid}}'],
      'Unknown placeholder {{uid}} in the hash key',
    ],
    ['more messages than calls', ['-d', '{}\n{}'], 'One call for each: --n 2'],
    ['a line that is no JSON', ['-d', '{}\n{bad\n', '--n', '2'], 'Line 2 of the data is not JSON'],
    ['a header without a key', ['-H', '=x'], '--header has no valid key'],
    ['standard input for two', ['-H', '@-', '-d', '@-'], 'both read standard input, which can be read once'],
    ['data that are a list', ['-d', '[1]'], 'HelloRequest: a message is an object in JSON, {…}'],
    ['a binary header that is no base64', ['-H', 'a-bin=?'], 'is not base64'],
    ['an invalid rate', ['--rate', '0'], 'Invalid --rate "0": expected calls per second'],
    ['a file of data that is not there', ['-d', '@/no/such/file'], 'Cannot read /no/such/file'],
    ['an empty descriptor set', ['--protoset', '/dev/null'], 'as a descriptor set: it is empty'],
    ['a descriptor set that is none', ['--protoset', 'package.json'], 'Make one: protoc --include_imports'],
    [
      'a flag for none of several policies',
      ['--policy', 'rr,wrr', '--pin', 'x'],
      '--pin has no effect with policy round_robin or weighted_round_robin',
    ],
    ['an unknown one of several policies', ['--policy', 'rr,best'], 'Unknown LB policy "best"'],
  ]
  test('errors in the data before it waits for endpoints', async () => {
    await hundred.register(hello.etcd)
    const ofRun = async (...args: string[]) => {
      const waiting = ['--n', '10', '--connect-deadline', '1h']
      const ran = await hello.run(...waiting, ...args)
      expect(ran).toMatchObject({ code: 2, stdout: '' })
      return ran.stderr
    }
    const ran = await Promise.all([
      ofRun('-d', '{"nam":"x"}'),
      ofRun('-d', '{bad'),
      ofRun('-d', '@/no/such/file'),
      ofRun('-d', '{"name":"x"}\n'.repeat(11), '--policy', 'rr,wrr'),
    ])
    expect(ran.map((text) => text.split('\n')[0])).toEqual([
      expect.stringContaining('nam'),
      expect.stringContaining('is not JSON'),
      expect.stringContaining('Cannot read /no/such/file'),
      expect.stringContaining('takes one message a call, and 11 were given'),
    ])
  })

  test.each(refused)('%s', async (_what, args, message) => {
    await hundred.register(hello.etcd)
    const ran = await hello.refused(...args)
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain(message)
  })
})
