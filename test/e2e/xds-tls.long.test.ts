import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { credentials, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { XdsDoc } from '../../src/cli/xds/document.js'
import { AdsClient, weightsIn } from '../support/ads-client.js'
import { type KeyPairFiles, TestAuthority } from '../support/certificates.js'
import { until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const A = '10.0.0.1:1001'

let folder: string
let authority: TestAuthority
let own: KeyPairFiles

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disco-xds-tls-'))
  authority = await TestAuthority.create(folder, 'clients-ca')
  own = await authority.sign('client')
})
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

it('xds serves clients with a certificate by TLS, and presents a renewed certificate to new connections after SIGHUP', async () => {
  await putAll(etcd, 'hello', [{ addr: A, weight: 1 }])
  const files = { certFile: join(folder, 'live.crt'), keyFile: join(folder, 'live.key') }
  const shown = await authority.sign('xds')
  copyFileSync(shown.certFile, files.certFile)
  copyFileSync(shown.keyFile, files.keyFile)
  const log = join(folder, 'log')
  const xds = disco.start(
    'xds',
    'hello',
    '--listen',
    ':0',
    '--json',
    '--log',
    log,
    '--listen-cert',
    files.certFile,
    '--listen-key',
    files.keyFile,
    '--listen-client-ca',
    authority.caFile,
  )
  await xds.printed(/\{.*\}\n/)
  const doc = JSON.parse(xds.stdout) as XdsDoc
  expect(doc.tls).toBe(true)
  using client = new AdsClient(doc.listen, { creds: credentialsOf(own) })
  client.isAccepting = true
  client.ask('EDS', 'hello')
  expect(weightsIn(await client.response('EDS', 0))).toEqual({ hello: { [A]: 1 } })
  using stranger = new AdsClient(doc.listen, { creds: credentialsOf(null) })
  stranger.ask('EDS', 'hello')
  expect(await stranger.ended()).toMatchObject({ code: status.UNAVAILABLE })
  const before = await fingerprint(doc.listen)
  const renewed = await authority.sign('renewed')
  copyFileSync(renewed.certFile, files.certFile)
  copyFileSync(renewed.keyFile, files.keyFile)
  renameSync(log, `${log}.1`)
  xds.child.kill('SIGHUP')
  await xds.printed('SIGHUP: certificates and log files are read')
  expect(await fingerprint(doc.listen)).not.toBe(before)
  await until(
    () => existsSync(log),
    () => 'the new log',
  )
  // The existing connection is not affected.
  await disco.run('weight', 'hello', A, '7')
  expect(weightsIn(await client.response('EDS', 1))).toEqual({ hello: { [A]: 7 } })
  copyFileSync(shown.certFile, files.certFile)
  xds.child.kill('SIGHUP')
  await xds.printed('The certificates stay as they were: The key in')
  expect(await xds.end('SIGTERM')).toMatchObject({ code: 0 })
  const lines = [`${log}.1`, log].map((file) => readFileSync(file, 'utf8').trim().split('\n'))
  const events = lines.map((texts) => texts.map((text) => (JSON.parse(text) as { event: string }).event))
  expect(events).toEqual([
    ['connect', 'ack'],
    ['ack', 'disconnect'],
  ])
})

it('xds refuses at its start a log that cannot be written, and a certificate without its key', async () => {
  for (const [args, message] of [
    [['--log', join(own.certFile, 'log')], 'The log cannot be written'],
    [['--listen-cert', own.certFile], 'TLS to callers needs both --listen-cert and --listen-key'],
  ] as const) {
    const { code, stderr } = await disco.run('xds', '--listen', ':0', ...args)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
  }
})

function credentialsOf(files: KeyPairFiles | null) {
  const ca = readFileSync(authority.caFile)
  return files
    ? credentials.createSsl(ca, readFileSync(files.keyFile), readFileSync(files.certFile))
    : credentials.createSsl(ca)
}

/** Fingerprint of the certificate that the control plane presents. */
function fingerprint(addr: string): Promise<string> {
  const [host = '', port = ''] = addr.split(':')
  const files = { key: readFileSync(own.keyFile), cert: readFileSync(own.certFile) }
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port),
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      ...files,
    })
    socket.on('error', reject)
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
  })
}
