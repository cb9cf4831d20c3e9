import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { Client, credentials, ServerCredentials, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProxyDoc } from '../../src/cli/proxy/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { type KeyPairFiles, TestAuthority } from '../support/certificates.js'
import { until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { mutualFlags, pairOf, TlsServers } from '../support/tls-servers.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const GREET = '/helloworld.Greeter/SayHello'

let servers: TlsServers
let folder: string
let authority: TestAuthority
let shown: KeyPairFiles
let client: KeyPairFiles

beforeAll(async () => {
  servers = await TlsServers.start()
  folder = mkdtempSync(join(tmpdir(), 'disco-proxy-'))
  authority = await TestAuthority.create(folder, 'callers-ca')
  shown = await authority.sign('proxy')
  client = await authority.sign('caller')
})
afterAll(async () => {
  await servers[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

test('a proxy uses TLS to callers and backends, reads renewed certificates on SIGHUP, and logs a line for each call', async () => {
  await putAll(etcd, 'hello', [{ addr: servers.greeters.mutual.addr }])
  const files = { certFile: join(folder, 'live.crt'), keyFile: join(folder, 'live.key') }
  copyFileSync(shown.certFile, files.certFile)
  copyFileSync(shown.keyFile, files.keyFile)
  const log = join(folder, 'access.log')
  const proxy = disco.start(
    'proxy',
    'hello',
    '--listen',
    ':0',
    '--json',
    '--access-log',
    log,
    '--listen-cert',
    files.certFile,
    '--listen-key',
    files.keyFile,
    '--listen-client-ca',
    authority.caFile,
    ...mutualFlags(servers.authority, servers.clients.client),
  )
  await proxy.printed('\n')
  const { listen, services } = JSON.parse(proxy.stdout) as ProxyDoc
  expect(services).toMatchObject([{ endpoints: 1, ready: 1 }])
  expect(await call(listen, client)).toBe(status.OK)
  expect(await call(listen, null)).toBe(status.UNAVAILABLE)
  const before = await fingerprint(listen)
  const renewed = await authority.sign('renewed')
  copyFileSync(renewed.certFile, files.certFile)
  copyFileSync(renewed.keyFile, files.keyFile)
  renameSync(log, `${log}.1`)
  proxy.child.kill('SIGHUP')
  await until(
    async () => (await fingerprint(listen)) !== before,
    () => 'the renewed certificate',
  )
  expect(await call(listen, client)).toBe(status.OK)
  proxy.child.kill('SIGTERM')
  expect((await proxy.exited()).code).toBe(0)
  const lines = [`${log}.1`, log].map((file) => readFileSync(file, 'utf8').trim().split('\n'))
  expect(lines.map(({ length }) => length)).toEqual([1, 1])
  expect(JSON.parse(lines[1]?.[0] ?? '')).toMatchObject({
    service: 'hello',
    path: GREET,
    endpoint: servers.greeters.mutual.addr,
    status: 'OK',
    details: null,
    replays: 0,
    peer: '127.0.0.1',
  })
})

test.each([
  ['127.0.0.1', 1],
  ['127.0.0.2', 0],
])(
  'a proxy looks for an address in the certificates of backends, without sending it as SNI: %s',
  async (name, ready) => {
    const pair = pairOf(await servers.authority.sign('loopback'))
    const greeter = await startGreeter({ port: 0, credentials: ServerCredentials.createSsl(null, [pair]) })
    try {
      await putAll(etcd, 'hello', [{ addr: greeter.addr }])
      const tls = ['--tls-ca', servers.authority.caFile, '--tls-name', name]
      const proxy = disco.start('proxy', 'hello', '--listen', ':0', '--json', ...tls)
      await proxy.printed(/\{.*\}\n/)
      expect((JSON.parse(proxy.stdout) as ProxyDoc).services).toMatchObject([{ endpoints: 1, ready }])
      expect(proxy.stderr).not.toContain('Warning')
      proxy.child.kill('SIGTERM')
      expect((await proxy.exited()).code).toBe(0)
    } finally {
      greeter.stop()
    }
  },
)

test('a proxy refuses unusable certificates at its start', async () => {
  const { code, stderr } = await disco.run(
    'proxy',
    'hello',
    '--listen',
    ':0',
    '--listen-cert',
    shown.certFile,
  )
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('TLS to callers needs both --listen-cert and --listen-key'),
  })
})

function call(addr: string, own: KeyPairFiles | null): Promise<status> {
  const ca = readFileSync(authority.caFile)
  const [key, cert] = own ? [readFileSync(own.keyFile), readFileSync(own.certFile)] : [null, null]
  const caller = new Client(addr, credentials.createSsl(ca, key, cert))
  const bytes = (value: Buffer) => value
  const deadline = Date.now() + 20_000
  return new Promise((resolve) => {
    caller.makeUnaryRequest<Buffer, Buffer>(GREET, bytes, bytes, Buffer.alloc(0), { deadline }, (error) => {
      caller.close()
      resolve(error?.code ?? status.OK)
    })
  })
}

/** Fingerprint of the certificate that the proxy presents. */
function fingerprint(addr: string): Promise<string> {
  const [host = '', port = ''] = addr.split(':')
  return new Promise((resolve, reject) => {
    const files = { key: readFileSync(client.keyFile), cert: readFileSync(client.certFile) }
    const socket = connect({
      host,
      port: Number(port),
      ...files,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    })
    socket.on('error', reject)
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
  })
}
