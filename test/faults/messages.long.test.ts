import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KeyPairFiles, TestAuthority } from '../support/certificates.js'
import { Disco } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { etcdVersion } from '../support/etcd-binary.js'
import { freePorts } from '../support/ports.js'

/** Real servers, certificates and passwords for every cause of a failed start. */
interface Place {
  readonly plain: RealEtcd
  readonly tls: RealEtcd
  readonly mutualTls: RealEtcd
  readonly guarded: RealEtcd
  readonly ca: string
  readonly otherCa: string
  readonly client: KeyPairFiles
  readonly stranger: KeyPairFiles
  readonly expired: KeyPairFiles
  readonly pastServer: string
  readonly futureServer: string
  readonly password: string
  readonly wrongPassword: string
  readonly http: string
  readonly mute: string
  /** Accepts connections and closes them without sending a byte. */
  readonly dropping: string
  readonly unused: readonly string[]
}

let place: Place
let folder: string
const servers: Server[] = []
const disco = new Disco('')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disco-messages-'))
  const [ours, others] = await Promise.all([
    TestAuthority.create(folder, 'ours'),
    TestAuthority.create(folder, 'others'),
  ])
  const [member, client, stranger, expired, past, future] = await Promise.all([
    ours.sign('member'),
    ours.sign('client'),
    others.sign('stranger'),
    ours.sign('expired', [], [-2, -1]),
    ours.sign('past', [], [-2, -1]),
    ours.sign('future', [], [1, 2]),
  ])
  const served = { caFile: ours.caFile, ...member }
  const [plain, tls, mutualTls, guarded] = await Promise.all([
    RealEtcd.start(),
    RealEtcd.start({ tls: served }),
    RealEtcd.start({ tls: { ...served, client } }),
    RealEtcd.start(),
  ])
  await enableAuth(guarded, [{ name: 'alice', password: 'secret', prefix: '/hello/' }])
  place = {
    plain,
    tls,
    mutualTls,
    guarded,
    client,
    stranger,
    expired,
    // No client accepts such a certificate, so a real etcd could not be checked for readiness. A plain TLS server
    // presents it.
    pastServer: await listening(tlsServer(past)),
    futureServer: await listening(tlsServer(future)),
    ca: ours.caFile,
    otherCa: others.caFile,
    password: file('password', 'secret\n'),
    wrongPassword: file('wrong', 'other\n'),
    http: await listening(createHttpServer((_, response) => response.end('hello'))),
    mute: await listening(createServer()),
    dropping: await listening(createServer((socket) => socket.destroy())),
    unused: (await freePorts(3)).map((port) => `127.0.0.1:${port}`),
  }
})
afterAll(async () => {
  await disco.stopAll()
  for (const server of servers) server.close()
  await Promise.all([place.plain, place.tls, place.mutualTls, place.guarded].map((etcd) => etcd.stop()))
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

function tlsServer({ certFile, keyFile }: KeyPairFiles): Server {
  const server = createSecureServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
  return server.on('sessionError', () => {})
}

async function listening(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Case {
  readonly cause: string
  readonly args: () => string[]
  /** Standard error, with the number of tries and the duration replaced by N and S. */
  readonly message: () => string
  readonly exit?: number
}

const at = (...endpoints: string[]) => ['--endpoints', endpoints.join(',')]
const oneSecond = ['--command-timeout', '1s']
const mutual = ({ certFile, keyFile }: KeyPairFiles) => ['--cert', certFile, '--key', keyFile]

/** etcd 3.4 does not give the reason. */
const refusesStranger = etcdVersion().startsWith('3.4.')
  ? 'wants another client certificate'
  : 'does not know the CA of our client certificate'

const CASES: readonly Case[] = [
  {
    cause: 'refused',
    args: () => at(place.unused[0] ?? ''),
    message: () =>
      `✗ etcd is not reachable at ${place.unused[0]} (connection refused, N tries in S)\n` +
      '  From --endpoints. Start a local one: disco dev\n',
  },
  {
    cause: 'refused by all three members',
    args: () => at(...place.unused),
    message: () =>
      `✗ etcd is not reachable at ${place.unused.join(', ')} (connection refused, N tries in S)\n` +
      '  From --endpoints. Start a local one: disco dev\n',
  },
  {
    cause: 'an unknown host',
    args: () => at('etcd.invalid:2379'),
    message: () => '✗ Unknown host etcd.invalid\n  From --endpoints\n',
  },
  {
    cause: 'three unknown hosts',
    args: () => at('a.invalid:2379', 'b.invalid:2379', 'c.invalid:2379'),
    message: () => '✗ Unknown host a.invalid, b.invalid, c.invalid\n  From --endpoints\n',
  },
  {
    cause: 'an HTTP/1 server',
    args: () => at(place.http),
    message: () =>
      `✗ etcd at ${place.http} answers, but not as gRPC\n` +
      "  From --endpoints. Give etcd's port for clients, 2379 by default\n",
  },
  {
    cause: 'mute',
    args: () => [...at(place.mute), ...oneSecond],
    message: () =>
      `✗ No answer from etcd at ${place.mute} in S\n  From --endpoints. More time: --command-timeout 30s\n`,
  },
  {
    cause: 'dropped',
    // The first connection may need more than a second on a busy machine.
    args: () => [...at(place.dropping), '--command-timeout', '3s'],
    message: () => `✗ etcd at ${place.dropping} drops the connection (N tries in S)\n  From --endpoints\n`,
  },
  {
    cause: 'dropped by TLS, which need not mean that it speaks plaintext',
    // The first TLS connection may need more than a second on a busy machine.
    args: () => [...at(`https://${place.dropping}`), '--command-timeout', '3s'],
    message: () => `✗ etcd at ${place.dropping} drops the connection (N tries in S)\n  From --endpoints\n`,
  },
  {
    cause: 'a plaintext client to a TLS etcd',
    args: () => at(place.tls.endpoint),
    message: () =>
      `✗ etcd at ${place.tls.endpoint} speaks TLS\n  From --endpoints. Use https:// or --cacert\n`,
  },
  {
    cause: 'a plaintext client to an etcd that wants client certificates, three times',
    args: () => at(place.mutualTls.endpoint, `http://${place.mutualTls.endpoint}/`, place.tls.endpoint),
    message: () =>
      `✗ etcd at ${place.mutualTls.endpoint}, ${place.tls.endpoint} speaks TLS\n` +
      '  From --endpoints. Use https:// or --cacert\n',
  },
  {
    cause: 'https to a plaintext etcd',
    args: () => at(`https://${place.plain.endpoint}`),
    message: () =>
      `✗ etcd at ${place.plain.endpoint} speaks plaintext\n  From --endpoints. Use http://, and no --cacert\n`,
  },
  {
    cause: 'a CA for a plaintext etcd',
    args: () => [...at(place.plain.endpoint), '--cacert', place.ca],
    message: () =>
      `✗ etcd at ${place.plain.endpoint} speaks plaintext\n  From --endpoints. Use http://, and no --cacert\n`,
  },
  {
    cause: 'the wrong CA',
    args: () => [...at(place.tls.endpoint), '--cacert', place.otherCa],
    message: () =>
      `✗ etcd at ${place.tls.endpoint} has a certificate of another CA\n` +
      '  From --endpoints. Give its CA with --cacert\n',
  },
  {
    cause: 'https without the CA',
    args: () => at(`https://${place.tls.endpoint}`),
    message: () =>
      `✗ etcd at ${place.tls.endpoint} has a certificate of another CA\n` +
      '  From --endpoints. Give its CA with --cacert\n',
  },
  {
    cause: 'a certificate for another name',
    args: () => [...at(place.tls.endpoint.replace('127.0.0.1', 'localhost')), '--cacert', place.ca],
    message: () =>
      `✗ etcd at ${place.tls.endpoint.replace('127.0.0.1', 'localhost')} has a certificate for member, not for localhost\n` +
      '  From --endpoints. Use a host name that is in its certificate\n',
  },
  {
    cause: 'a certificate that has expired',
    args: () => [...at(place.pastServer), '--cacert', place.ca],
    message: () =>
      `✗ etcd at ${place.pastServer} has a certificate that has expired\n` +
      '  From --endpoints. Renew it, or check the clock of this machine\n',
  },
  {
    cause: 'a certificate that is not yet valid',
    args: () => [...at(place.futureServer), '--cacert', place.ca],
    message: () =>
      `✗ etcd at ${place.futureServer} has a certificate that is not yet valid\n` +
      '  From --endpoints. Check the clock of this machine\n',
  },
  {
    cause: 'no client certificate',
    args: () => [...at(place.mutualTls.endpoint), '--cacert', place.ca],
    message: () =>
      `✗ etcd at ${place.mutualTls.endpoint} wants a client certificate\n` +
      '  From --endpoints. Give one with --cert and --key\n',
  },
  {
    cause: 'a client certificate of another CA',
    args: () => [...at(place.mutualTls.endpoint), '--cacert', place.ca, ...mutual(place.stranger)],
    message: () =>
      `✗ etcd at ${place.mutualTls.endpoint} ${refusesStranger}\n` +
      '  From --endpoints. It must be signed by a CA that etcd trusts\n',
  },
  {
    cause: 'a client certificate that has expired',
    args: () => [...at(place.mutualTls.endpoint), '--cacert', place.ca, ...mutual(place.expired)],
    message: () =>
      `✗ etcd at ${place.mutualTls.endpoint} refuses our client certificate: it has expired\n` +
      `  From --endpoints. Renew ${place.expired.certFile} from --cert\n`,
  },
  {
    cause: 'the key of another certificate',
    args: () => [
      ...at(place.mutualTls.endpoint),
      ...mutual({ ...place.client, keyFile: place.stranger.keyFile }),
    ],
    message: () =>
      `✗ The key in ${place.stranger.keyFile} from --key does not belong to the certificate in ${place.client.certFile} from --cert\n`,
    exit: 2,
  },
  {
    cause: 'a CA file that is none',
    args: () => [...at(place.tls.endpoint), '--cacert', place.password],
    message: () => `✗ ${place.password} from --cacert is not a PEM certificate that can be read\n`,
    exit: 2,
  },
  {
    cause: 'no user, where one is wanted',
    args: () => at(place.guarded.endpoint),
    message: () => '✗ etcd asks for a user\n  Give --user and --password-file, or ETCDCTL_USER\n',
  },
  {
    cause: 'a wrong password',
    args: () => [...at(place.guarded.endpoint), '--user', 'alice', '--password-file', place.wrongPassword],
    message: () => '✗ Wrong user or password for etcd\n',
  },
  {
    cause: 'an unknown user',
    args: () => [...at(place.guarded.endpoint), '--user', 'bob', '--password-file', place.password],
    message: () => '✗ Wrong user or password for etcd\n',
  },
  {
    cause: 'no permission',
    args: () => [...at(place.guarded.endpoint), '--user', 'alice', '--password-file', place.password],
    message: () =>
      [
        '✗ etcd denies alice the permission on /payments/',
        '  Grant it: etcdctl role grant-permission ROLE read /payments/ --prefix',
        '  Or name the layout that it covers, such as --layout kratos\n',
      ].join('\n'),
  },
  {
    cause: 'a user, where there are none',
    args: () => [...at(place.plain.endpoint), '--user', 'alice', '--password-file', place.password],
    message: () =>
      `✗ etcd at ${place.plain.endpoint} has no users: its authentication is off\n  Leave out --user\n`,
  },
  {
    cause: 'three members that fail in three ways',
    args: () => [
      ...at(place.unused[0] ?? '', 'etcd.invalid:2379', place.mute),
      '--command-timeout',
      '4s',
      '--dial-timeout',
      '200ms',
    ],
    message: () =>
      `✗ No answer from etcd at ${place.mute} in S\n` +
      '  From --endpoints. More time: --command-timeout 30s\n' +
      `  etcd is not reachable at ${place.unused[0]} (connection refused)\n` +
      '  Unknown host etcd.invalid\n',
  },
]

describe.concurrent('a start that fails has a message with its real cause in ls:', () => {
  test.each(CASES)('$cause', async ({ args, message, exit = 3 }) => {
    const ran = await disco.run('ls', 'payments', ...args())
    const stderr = ran.stderr.replace(/\d+ tries in \d+\.\ds/, 'N tries in S').replace(/in \d+\.\ds/, 'in S')
    expect({ ...ran, stderr }).toEqual({ stdout: '', stderr: message(), code: exit })
  })

  test('watch and register print the same messages as ls', async () => {
    const some = CASES.filter(({ cause }) => /TLS etcd|wrong password/.test(cause))
    expect(some).toHaveLength(2)
    for (const { args, message } of some) {
      for (const command of [
        ['watch', 'payments'],
        ['register', 'payments', '127.0.0.1:1001'],
      ]) {
        expect(await disco.run(...command, ...args())).toEqual({ stdout: '', stderr: message(), code: 3 })
      }
    }
  })

  test('no message contains a password, even with --debug', async () => {
    const secret = 'hunter2'
    const args = [...at(place.guarded.endpoint), '--debug', '--json']
    const login = new Disco('', { ETCDCTL_USER: `alice:${secret}` })
    const { stdout, stderr, code } = await login.run('ls', 'hello', ...args)
    expect(code).toBe(3)
    expect(stdout + stderr).not.toContain(secret)
  })
})

describe.concurrent('ls, watch and register succeed without a message on stderr', () => {
  const WAYS: readonly [way: string, port: number, args: () => string[], env: Record<string, string>][] = [
    ['by TLS', 1001, () => [...at(place.tls.endpoint), '--cacert', place.ca], {}],
    [
      'by TLS and a client certificate',
      1002,
      () => [...at(`https://${place.mutualTls.endpoint}`), '--cacert', place.ca, ...mutual(place.client)],
      {},
    ],
    [
      'with a user and a password file',
      1003,
      () => [...at(place.guarded.endpoint), '--user', 'alice', '--password-file', place.password],
      {},
    ],
    [
      'with a user of the environment',
      1004,
      () => at(place.guarded.endpoint),
      { ETCDCTL_USER: 'alice:secret' },
    ],
  ]
  test.each(WAYS)('%s', async (_way, port, args, env) => {
    const addr = `127.0.0.1:${port}`
    const tool = new Disco('', env)
    try {
      const watch = tool.start('watch', 'hello', ...args())
      await watch.printed('"type":"synced"')
      const held = tool.start('register', 'hello', addr, '--ttl', '30', ...args())
      await watch.printed(new RegExp(`"type":"added".*${addr}`))
      const list = await tool.run('ls', 'hello', '-o', 'name', ...args())
      expect(list).toMatchObject({ code: 0, stderr: '' })
      expect(list.stdout.split('\n')).toContain(addr)
      expect(await held.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
      await watch.printed(new RegExp(`"type":"gone".*${addr}.*"reason":"deregistered"`))
      expect(await watch.end('SIGINT')).toMatchObject({ code: 130, stderr: '' })
    } finally {
      await tool.stopAll()
    }
  })
})
