import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminFlags, planAdmin } from '../../src/cli/flags/admin.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { readCredentials } from '../../src/etcd/credentials.js'
import { readPems } from '../../src/net/files.js'
import { TestAuthority } from '../support/certificates.js'
import { Disco, until } from '../support/disco.js'
import { type Etcd, RealEtcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'
import { flagValues } from '../support/flags.js'
import { protoc } from '../support/protoc.js'
import { ResidentTool } from '../support/resident-tool.js'
import { sharedEtcd } from '../support/shared-etcd.js'

/** Encodings and line ends in which editors and shells write the same text. */
const FORMS: readonly [form: string, written: (text: string) => string][] = [
  ['as Unix has it', (text) => text],
  ['with a byte order mark', (text) => `\uFEFF${text}`],
  ['with CRLF', (text) => text.replaceAll('\n', '\r\n')],
  ['with a byte order mark and CRLF', (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`],
  ['without a last newline', (text) => text.replace(/\n$/, '')],
]

const PROTO = `syntax = "proto3";
package helloworld;
message HelloRequest { string name = 1; }
message HelloReply { string message = 1; string endpoint = 2; }
service Greeter { rpc SayHello (HelloRequest) returns (HelloReply); }
`

let etcd: Etcd
let tool: ResidentTool
let disco: Disco
let greeter: Greeter
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disco-texts-'))
  etcd = await sharedEtcd()
  tool = new ResidentTool(etcd.endpoint)
  disco = new Disco(etcd.endpoint)
  greeter = await startGreeter({ port: 0, reflection: [] })
  await etcd.ctl('put', ...registration('hello', greeter.addr))
})
afterAll(async () => {
  greeter.stop()
  await disco.stopAll()
  await tool[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe.each(FORMS)('a text file %s', (_, written) => {
  test('is accepted by every flag of call', async () => {
    const proto = file('hello.proto', written(PROTO))
    const data = file('data', written('{"name":"a"}\n{"name":"b"}\n'))
    const headers = file('headers', written('x-one: 1\n# a remark\nx-two=2\n'))
    const config = file('config', written('{"methodConfig":[{"name":[{}],"timeout":"9s"}]}\n'))
    const files = ['--proto', proto, '-d', `@${data}`, '-H', `@${headers}`, '--service-config', config]
    const ran = await tool.run('call', 'hello', 'SayHello', ...files, '--n', '2', '-o', 'ndjson')
    expect(ran.code, ran.stderr).toBe(0)
    const replies = ran.stdout
      .split('\n')
      .slice(0, 2)
      .map((line) => JSON.parse(line).reply.message)
    expect(replies).toEqual(['Hello a', 'Hello b'])
  })

  test('is accepted on standard input', async () => {
    const proto = file('hello.proto', PROTO)
    const call = disco.start('call', 'hello', 'SayHello', '--proto', proto, '-d', '@-')
    call.child.stdin?.end(written('{"name":"piped"}\n'))
    expect(JSON.parse((await call.exited()).stdout)).toMatchObject({ message: 'Hello piped' })
    const verdict = disco.start('verdict', '--counts', '-', '--weights', 'a=1,b=1', '--json')
    verdict.child.stdin?.end(written('a\nb\nb\n'))
    const { endpoints } = JSON.parse((await verdict.exited()).stdout)
    expect(endpoints).toMatchObject([{ picks: 1 }, { picks: 2 }])
  })

  test('can describe the method on standard input, with imports from folders', async () => {
    const imported = 'message HelloRequest { string name = 1; }'
    file('request.proto', `syntax = "proto3";\npackage helloworld;\n${imported}\n`)
    const proto = PROTO.replace(imported, 'import "request.proto";')
    const call = disco.start(
      'call',
      'hello',
      'SayHello',
      '--proto',
      '-',
      '--import-path',
      folder,
      '-d',
      '{"name":"x"}',
    )
    call.child.stdin?.end(written(proto))
    const { stdout, stderr } = await call.exited()
    expect(stdout, stderr).not.toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ message: 'Hello x' })
  })

  test('can be a password, a token, a certificate or a key', async () => {
    const authority = await TestAuthority.create(folder, 'ca')
    const { certFile, keyFile } = await authority.sign('client')
    const again = (name: string, from: string) =>
      file(name, written(readFileSync(from, 'utf8').replaceAll('\r\n', '\n')))
    const passwordFile = file('password', written('p\u00e4ss word\n'))
    expect(await readCredentials({ ...OPTIONS, passwordFile })).toMatchObject({ password: 'p\u00e4ss word' })
    const token = file('token', written('open-sesame\n'))
    expect(
      await planAdmin(await flagValues(adminFlags, '--admin', ':0', '--admin-token-file', token)),
    ).toMatchObject({
      token: 'open-sesame',
    })
    const pems = {
      caFile: again('ca.pem', authority.caFile),
      certFile: again('cert.pem', certFile),
      keyFile: again('key.pem', keyFile),
    }
    expect(await readPems(pems, '--cert and --key')).not.toBeNull()
  })
})

describe('standard input in place of a file', () => {
  const piped = async (input: string | Buffer, ...args: string[]) => {
    const running = disco.start(...args)
    running.child.stdin?.end(input)
    return await running.exited()
  }

  test('can be a descriptor set or a service config', async () => {
    const proto = file('hello.proto', PROTO)
    const setFile = join(folder, 'hello.set')
    protoc(['-I', folder, '-o', setFile, proto])
    const set = readFileSync(setFile)
    const called = await piped(set, 'call', 'hello', 'SayHello', '--protoset', '-')
    expect(called, called.stderr).toMatchObject({ code: 0 })
    const config = '{"methodConfig":[{"name":[{}],"timeout":"0.000000001s"}]}'
    const configured = await piped(
      config,
      'call',
      'hello',
      'SayHello',
      '--proto',
      proto,
      '--service-config',
      '-',
    )
    expect(configured.stderr).toContain('DEADLINE_EXCEEDED')
    const broken = await piped('nothing', 'call', 'hello', 'SayHello', '--service-config', '-')
    expect(broken).toMatchObject({ code: 2 })
    expect(broken.stderr).toContain('standard input')
  })

  test('can be the certificate of a CA, a client certificate or its key', async () => {
    const authority = await TestAuthority.create(folder, 'own-ca')
    const { caFile } = authority
    const [member, client] = [await authority.sign('member'), await authority.sign('caller')]
    await using own = await RealEtcd.start({ tls: { caFile, ...member, client } })
    const files = { '--cacert': caFile, '--cert': client.certFile, '--key': client.keyFile }
    const endpoints = ['--endpoints', `https://${own.endpoint}`]
    for (const [flag, path] of Object.entries(files)) {
      const flags = Object.entries({ ...files, [flag]: '-' }).flat()
      const ran = await piped(readFileSync(path), 'layouts', ...flags, ...endpoints)
      expect(ran, ran.stderr).toMatchObject({ code: 0 })
    }
    const broken = await piped('nothing', 'ls', '--cacert', '-', ...endpoints)
    expect(broken.stderr).toContain('standard input is not a PEM certificate')
  })

  test('can be the token of the admin handler', async () => {
    const held = disco.start('register', 'held', ':1001', '--admin', ':0', '--admin-token-file', '-')
    held.child.stdin?.end('open-sesame\r\n')
    await held.printed('"added"')
    await until(
      () => held.stderr.includes('admin handler on'),
      () => 'the admin handler',
    )
    const [url = ''] = /http:\S+/.exec(held.stderr) ?? []
    const asked = async (token: string) =>
      (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status
    expect([await asked('guess'), await asked('open-sesame')]).toEqual([401, 200])
    await held.end('SIGTERM')
  })
})

const OPTIONS = {
  endpoints: ['a:1'],
  endpointsSource: 'the test',
  commandTimeoutMs: 1_000,
  dialTimeoutMs: 500,
}
