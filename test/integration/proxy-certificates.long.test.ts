import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  rmSync(folder, { recursive: true })
})

it('reads the certificate for backends again after one has refused it', async () => {
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
  // Half of a renewal: a key of another certificate changes nothing, and ends nothing.
  copyFileSync(servers.clients.client.certFile, certFile)
  writeFileSync(keyFile, 'not a key')
  await failures(proxied, 1)
  show(servers.clients.client)
  await until(
    () => isReady(proxied),
    () => 'the backend to take the renewed certificate',
  )
})

function isReady({ proxy }: Proxied): boolean {
  const [member] = proxy.services[0]?.members ?? []
  return member?.isReady ?? false
}

/** Waits for further attempts that fail. */
async function failures(proxied: Proxied, count: number): Promise<void> {
  const before = proxied.failed.length
  await until(
    () => proxied.failed.length >= before + count,
    () => `${count} more failed connections`,
  )
}
