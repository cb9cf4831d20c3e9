import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Certificates } from '../../src/proxy/certificates.js'
import { until } from '../support/disco.js'
import { type Proxied, proxies } from '../support/proxied.js'
import { TlsServers } from '../support/tls-servers.js'

const started = proxies()

let servers: TlsServers
let folder: string
beforeAll(async () => {
  servers = await TlsServers.start()
  folder = mkdtempSync(join(tmpdir(), 'disco-proxy-'))
})
afterAll(async () => {
  await servers[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

it('the proxy reads its client certificate again after a backend has refused it', async () => {
  const [certFile, keyFile] = [join(folder, 'own.crt'), join(folder, 'own.key')]
  const show = (own: { certFile: string; keyFile: string }) => {
    copyFileSync(own.certFile, certFile)
    copyFileSync(own.keyFile, keyFile)
  }
  show(servers.clients.expired)
  const certificates = await Certificates.read({
    listener: {},
    backend: { caFile: servers.authority.caFile, certFile, keyFile },
    backendName: undefined,
  })
  const proxied = await started([{ addr: servers.greeters.mutual.addr }], {
    dialerOf: (authority) => certificates.dialerOf(authority),
  })
  expect(isReady(proxied)).toBe(false)
  // A half-finished renewal: a key that does not match the certificate has no effect, and closes no connection.
  copyFileSync(servers.clients.client.certFile, certFile)
  writeFileSync(keyFile, 'not a key')
  await failures(proxied, 1)
  show(servers.clients.client)
  await until(
    () => isReady(proxied),
    () => 'the backend to take the renewed certificate',
  )
})

it('the proxy uses the files of the last reading, even if an earlier reading takes longer', async () => {
  const [certFile, keyFile] = [join(folder, 'slow.crt'), join(folder, 'slow.key')]
  const { expired, client } = servers.clients
  copyFileSync(expired.certFile, certFile)
  copyFileSync(expired.keyFile, keyFile)
  const certificates = await Certificates.read({
    listener: {},
    backend: { caFile: servers.authority.caFile, certFile, keyFile },
    backendName: undefined,
  })
  // A named pipe is a file whose reading takes long.
  rmSync(certFile)
  execFileSync('mkfifo', [certFile])
  const pipe = openSync(certFile, constants.O_RDWR)
  certificates.dialerOf('localhost').refused?.()
  await delay(200)
  rmSync(certFile)
  copyFileSync(client.certFile, certFile)
  copyFileSync(client.keyFile, keyFile)
  const refreshed = certificates.refresh()
  await Promise.race([refreshed, delay(500)])
  writeSync(pipe, readFileSync(expired.certFile))
  closeSync(pipe)
  await refreshed
  await delay(200)
  const proxied = await started([{ addr: servers.greeters.mutual.addr }], {
    dialerOf: (authority) => certificates.dialerOf(authority),
  })
  expect(isReady(proxied)).toBe(true)
})

function isReady({ proxy }: Proxied): boolean {
  const [member] = proxy.services[0]?.members ?? []
  return member?.isReady ?? false
}

/** Waits for `count` further failed attempts to connect. */
async function failures(proxied: Proxied, count: number): Promise<void> {
  const before = proxied.failed.length
  await until(
    () => proxied.failed.length >= before + count,
    () => `${count} more failed connections`,
  )
}
