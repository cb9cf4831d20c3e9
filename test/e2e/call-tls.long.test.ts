import { createServer, type Server, type Socket } from 'node:net'
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import type { KeyPairFiles, TestAuthority } from '../support/certificates.js'
import { deadEndpoints } from '../support/dead-endpoints.js'
import { Disco, type Ran } from '../support/disco.js'
import { type Etcd, RealEtcd } from '../support/etcd.js'
import { putAll, wipe } from '../support/etcd-state.js'
import { sharedEtcd } from '../support/shared-etcd.js'
import { mutualFlags, pairOf, TlsServers } from '../support/tls-servers.js'

const dead = await deadEndpoints()
let servers: TlsServers
let etcd: Etcd
let disco: Disco
let authority: TestAuthority
let stranger: TestAuthority
let client: KeyPairFiles
let expired: KeyPairFiles
let foreign: KeyPairFiles
let greeters: TlsServers['greeters']
/** Accepts connections and closes them without sending a byte. */
let dropping: RawServer
/** A server in Go, which rejects a client certificate with a TLS alert that gives the reason. */
let member: RealEtcd

beforeAll(async () => {
  etcd = await sharedEtcd()
  servers = await TlsServers.start()
  ;({ authority, stranger, greeters } = servers)
  ;({ client, expired, foreign } = servers.clients)
  const served = { caFile: authority.caFile, ...(await authority.sign('member')), client }
  dropping = await RawServer.start((socket) => socket.resume().end())
  member = await RealEtcd.start({ version: '3.5', tls: served })
})
afterAll(async () => {
  await member.stop()
  await dropping[Symbol.asyncDispose]()
  await servers[Symbol.asyncDispose]()
})
beforeEach(() => {
  disco = new Disco(etcd.endpoint)
})
afterEach(async () => {
  await disco.stopAll()
  await wipe(etcd)
})

/**
 * Calls a service with one serving endpoint and two that do not serve. No mute endpoint is among them: it would add a
 * second to each failing call, in which disco finds out whether it speaks TLS.
 */
async function call(addr: string, ...args: string[]): Promise<Ran> {
  await putAll(etcd, 'hello', [{ addr }, { addr: dead.refused }, { addr: dead.reset }])
  return await disco.run('call', 'hello', 'SayHello', '--connect-deadline', '1s', ...args)
}

describe('TLS to backends', () => {
  test('is verified against a CA, for the name of the service or the name in --tls-name', async () => {
    const ca = ['--tls-ca', authority.caFile]
    expect(await call(greeters.tls.addr, ...ca)).toMatchObject({ code: 0 })
    expect(await call(greeters.tls.addr, ...ca, '--tls-name', 'other.example')).toMatchObject({ code: 0 })
  })

  test('accepts an address as name if the certificate contains it', async () => {
    const pair = pairOf(await authority.sign('loopback'))
    const greeter = await startGreeter({ port: 0, credentials: ServerCredentials.createSsl(null, [pair]) })
    try {
      const args = ['--tls-ca', authority.caFile, '--tls-name']
      expect(await call(greeter.addr, ...args, '127.0.0.1')).toMatchObject({ code: 0 })
      const { code, stderr } = await call(greeter.addr, ...args, '127.0.0.2')
      expect(code).toBe(7)
      expect(stderr).toContain('has a certificate for 127.0.0.1, not for 127.0.0.2 (try --tls-name)\n')
      expect(stderr).not.toContain('Warning')
    } finally {
      greeter.stop()
    }
  })

  test('sends a client certificate to a server that asks for it', async () => {
    expect(await call(greeters.mutual.addr, ...mutualFlags(authority, client))).toMatchObject({ code: 0 })
  })
})

describe('the error names a mismatch', () => {
  type Whom = keyof typeof greeters | 'member' | 'dropping'
  const cases: [what: string, whom: Whom, args: () => string[], message: string][] = [
    ['plaintext to TLS', 'tls', () => [], 'speaks TLS (try --tls)'],
    ['TLS to plaintext', 'plain', () => ['--tls'], 'speaks plaintext (leave --tls out)'],
    [
      'another CA',
      'tls',
      () => ['--tls-ca', stranger.caFile],
      'has a certificate of another CA (try --tls-ca FILE)',
    ],
    ["the system's CAs", 'tls', () => ['--tls'], 'has a certificate of another CA (try --tls-ca FILE)'],
    [
      'another name',
      'tls',
      () => ['--tls-ca', authority.caFile, '--tls-name', 'wrong.example'],
      'has a certificate for DNS:hello, DNS:other.example, not for wrong.example (try --tls-name)',
    ],
    ['no client certificate', 'mutual', () => ['--tls-ca', authority.caFile], 'wants a client certificate'],
    [
      'a client certificate of another CA',
      'member',
      () => [...mutual(foreign), '--tls-name', '127.0.0.1'],
      'does not know the CA of our client certificate (--tls-cert)',
    ],
    [
      'a client certificate that has expired',
      'member',
      () => [...mutual(expired), '--tls-name', '127.0.0.1'],
      'refuses our client certificate: it has expired (--tls-cert)',
    ],
    [
      'a client certificate that is refused without a word',
      'mutual',
      () => mutual(foreign),
      'drops the TLS connection: it may want a client certificate, or another one',
    ],
    [
      'a client certificate that has expired, refused without a word',
      'mutual',
      () => mutual(expired),
      'refuses our client certificate: it has expired (--tls-cert)',
    ],
    [
      'a certificate that has expired',
      'past',
      () => ['--tls-ca', authority.caFile],
      'has a certificate that has expired',
    ],
    ['a connection that is dropped', 'dropping', () => [], 'drops the connection\n'],
    [
      'a TLS connection that is dropped',
      'dropping',
      () => ['--tls'],
      'drops the TLS connection: it may want a client',
    ],
  ]
  const addressOf = (whom: Whom): string => {
    if (whom === 'member') return member.endpoint
    return whom === 'dropping' ? dropping.addr : greeters[whom].addr
  }
  const mutual = (pair: KeyPairFiles) => mutualFlags(authority, pair)
  test.each(cases)('%s', async (_what, whom, args, message) => {
    const addr = addressOf(whom)
    const ran = await call(addr, ...args())
    expect(ran).toMatchObject({ code: 7, stdout: '' })
    expect(ran.stderr).toContain('hello has no endpoint that is READY after')
    expect(ran.stderr).toContain(`${addr} ${message}`)
    expect(ran.stderr).not.toMatch(/SSL|error:|Resolution note|Last error/)
  })

  test.each([
    [['--tls-cert', 'a.pem'], 'needs both --tls-cert and --tls-key'],
    [['--tls-ca', '/no/such.pem'], 'Cannot read /no/such.pem'],
  ])('files that cannot be used: %j', async (args, message) => {
    const ran = await call(greeters.tls.addr, ...args)
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain(message)
  })
})

describe('the error of a stage that fails or hangs', () => {
  test('names the stage: resolve', async () => {
    const args = ['call', 'hello', 'SayHello', '--no-cache', '--connect-deadline', '1s']
    const failed = await disco.run(...args, '--endpoints', '127.0.0.1:1')
    expect(failed.code).toBe(3)
    expect(failed.stderr).toContain('etcd is not reachable at 127.0.0.1:1 (connection refused')
    expect(failed.stderr).toContain('The stage that failed: resolve')

    await using mute = await RawServer.start()
    const hung = await disco.run(...args, '--endpoints', mute.addr)
    expect(hung.code).toBe(3)
    expect(hung.stderr).toContain('No answer about hello from the registry within 2s')
    expect(hung.stderr).toContain('The stage that hung: resolve')
  })

  test('names the stage and the endpoint: connect, reflect or call', async () => {
    await using mute = await RawServer.start()
    const connect = await call(mute.addr)
    expect(connect.code).toBe(7)
    expect(connect.stderr).toContain(`${mute.addr} did not answer (the stage that hung: connect)`)
    await wipe(etcd)

    await using deaf = await deafToReflection()
    const reflect = await call(deaf.addr)
    expect(reflect.code).toBe(7)
    expect(reflect.stderr).toContain(`${deaf.addr} did not answer server reflection within 1s`)
    expect(reflect.stderr).toContain('The stage that hung: reflect')
    await wipe(etcd)

    const slow = await startGreeter({ port: 0, latencyMs: 600_000 })
    try {
      const { code, stderr } = await call(slow.addr, '--deadline', '200ms')
      // 64 + DEADLINE_EXCEEDED
      expect(code).toBe(68)
      expect(stderr).toContain(slow.addr)
      expect(stderr).toContain('The stage that hung: call')
    } finally {
      slow.stop()
    }
  })
})

/** A gRPC server that accepts reflection requests and never answers them. */
async function deafToReflection(): Promise<AsyncDisposable & { readonly addr: string }> {
  const server = new GrpcServer()
  const same = (bytes: Buffer) => bytes
  const ServerReflectionInfo = {
    path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
  server.addService({ ServerReflectionInfo }, { ServerReflectionInfo: () => undefined })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  )
  return { addr: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => server.forceShutdown() }
}

/** A TCP server that passes each connection to a function; by default it sends nothing. */
class RawServer implements AsyncDisposable {
  private constructor(
    readonly addr: string,
    private readonly server: Server,
  ) {}

  static async start(take: (socket: Socket) => void = () => undefined): Promise<RawServer> {
    const server = createServer((socket) => take(socket.on('error', () => undefined).unref()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return new RawServer(`127.0.0.1:${address.port}`, server)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this.server.close()
      resolve()
    })
  }
}
