import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { issueCertificates } from '../support/certificates.js'
import { Disco, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { changePassword, etcdOfAlice } from '../support/etcd-auth.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { leaseIds, storedText, untilStored } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'

const ADDR = '127.0.0.1:1001'
const KEY = `/hello/${ADDR}`

let root = ''

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'disco-credentials-'))
})

afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))

function folder(): string {
  return mkdtempSync(join(root, 'test-'))
}

describe.each(versionsUnderTest())('with etcd %s', (version) => {
  test.concurrent('register and watch continue with one message each after the password has changed in etcd and then in its file', async () => {
    await using etcd = await etcdOfAlice(version)
    await using proxy = await FaultProxy.start(etcd.endpoint)
    const passwordFile = join(folder(), 'password')
    writeFileSync(passwordFile, 'first\n')
    const disco = new Disco(proxy.endpoint)
    const login = ['--user', 'alice', '--password-file', passwordFile]
    try {
      // No renewal between the change of the password and the end of the lease, which would be denied as well.
      const held = disco.start('register', 'hello', ADDR, '--ttl', '60', ...login)
      await held.printed('"type":"added"')
      const watch = disco.start('watch', 'hello', '--layout', 'seed', ...login)
      await watch.printed('"type":"synced"')

      // The password changes in etcd first.
      await changePassword(etcd, 'alice', 'second')
      const [lease = ''] = await leaseIds(etcd)
      await etcd.ctl('lease', 'revoke', lease)
      await held.printed('Wrong user or password')
      writeFileSync(passwordFile, '\uFEFFsecond\n')
      await held.printed('"again":true')
      expect(await storedText(etcd, KEY)).not.toBe('')
      expect(held.stderr.split('Wrong user or password')).toHaveLength(2)

      proxy.cut()
      await until(
        () => watch.events().filter(({ type }) => type === 'joined' || type === 'added').length > 0,
        () => `the registration in the watch, got ${watch.stdout} ${watch.stderr}`,
      )
      expect(await held.end('SIGTERM')).toMatchObject({ code: 0 })
    } finally {
      await disco.stopAll()
    }
  })

  test.concurrent('the library reads a password file again after a refused login', async () => {
    await using etcd = await etcdOfAlice(version)
    const passwordFile = join(folder(), 'password')
    writeFileSync(passwordFile, 'first')
    const registry = await openRegistry([etcd.endpoint], { user: 'alice', passwordFile })
    const held = await RegistrationLog.hold(registry, { service: 'hello', addr: ADDR, ttlSeconds: 15 })
    writeFileSync(passwordFile, 'second')
    await changePassword(etcd, 'alice', 'second')
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('lease', 'revoke', lease)
    await held.untilReported('registered again')
    expect((await registry.list('hello')).endpoints).toHaveLength(1)
    // A keep-alive between the change and the revocation may be refused once as well, which is temporary.
    const lasting = held.reported.filter((event) => event !== 'trouble' && event !== 'recovered')
    expect(lasting).toEqual(['registered', 'lease lost', 'registered again'])
    await held.close()
    registry.close()
  })

  test.concurrent('register and watch reconnect with a CA and certificates that were renewed on disk', async () => {
    const at = folder()
    const tls = await issueCertificates(at)
    await using etcd = await RealEtcd.start({ version, tls })
    const disco = new Disco(`https://${etcd.endpoint}`)
    const files = ['--cacert', tls.caFile, '--cert', tls.client.certFile, '--key', tls.client.keyFile]
    try {
      const held = disco.start('register', 'hello', ADDR, '--ttl', '5', ...files)
      await held.printed('"type":"added"')
      const watch = disco.start('watch', 'hello', '--layout', 'seed', ...files)
      await watch.printed('"type":"synced"')
      await etcd.kill()
      await issueCertificates(at)
      await etcd.restart()
      // Longer than the TTL: the registrar has renewed its lease, or is about to register again.
      await delay(8_000)
      await untilStored(etcd, KEY)
      expect(held.child.exitCode).toBeNull()
      expect(await held.end('SIGTERM')).toMatchObject({ code: 0 })
      await watch.printed('"type":"gone"')
    } finally {
      await disco.stopAll()
    }
  })
})
