import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { leaseIds, registration } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'
import { UpdateLog } from '../support/update-log.js'

const TOKEN_TTL_SECONDS = 3
/** A keep-alive every 3 s, so that each round has one after the expiry of a token. */
const LEASE_TTL_SECONDS = 9
const LINK_REPORTS = new Set(['trouble', 'recovered'])
const ADDR = '127.0.0.1:1001'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-jwt-'))
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(join(folder, 'key.pem'), privateKey)
  writeFileSync(join(folder, 'key.pub'), publicKey)
})

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

const TOKENS = {
  simple: () => ['--auth-token-ttl', String(TOKEN_TTL_SECONDS)],
  JWT: () => {
    const files = `pub-key=${join(folder, 'key.pub')},priv-key=${join(folder, 'key.pem')}`
    return ['--auth-token', `jwt,${files},sign-method=RS256,ttl=${TOKEN_TTL_SECONDS}s`]
  },
} as const

const KINDS = Object.keys(TOKENS) as (keyof typeof TOKENS)[]

describe.each(versionsUnderTest())('with etcd %s', (version) => {
  test.concurrent.each(KINDS)(
    'the expiry of %s tokens does not affect a registration and a watch',
    async (kind) => {
      await using etcd = await RealEtcd.start({ version, args: TOKENS[kind]() })
      await enableAuth(etcd, [{ name: 'alice', password: 'secret', prefix: '/hello/' }])
      await using proxy = await FaultProxy.start(etcd.endpoint)
      const registry = await openRegistry([proxy.endpoint], { user: 'alice', password: 'secret' })
      const held = await RegistrationLog.hold(registry, {
        service: 'hello',
        addr: ADDR,
        ttlSeconds: LEASE_TTL_SECONDS,
      })
      await using log = new UpdateLog(registry, 'hello')
      await log.has('the registration', () => log.view.get(held.key) === 1)
      const lease = await leaseIds(etcd)
      // Twice without a cut, then one cut after the token has expired, then two cuts in a row.
      for (const cuts of [0, 0, 1, 2]) {
        await delay((TOKEN_TTL_SECONDS + 2) * 1_000)
        for (let cut = 0; cut < cuts; cut++) {
          proxy.cut()
          await delay(500)
        }
        expect(await leaseIds(etcd)).toEqual(lease)
        if (cuts === 0) expect(held.reported).toEqual(['registered'])
      }
      // Two cuts in a row may be reported as an outage and its end. The lease and the key must survive.
      expect(held.reported.filter((name) => !LINK_REPORTS.has(name))).toEqual(['registered'])
      expect(log.failure).toBeNull()
      await held.close()
      await log.has('the end', () => log.view.size === 0)
      registry.close()
    },
  )

  test.concurrent('requests log in again after a change of etcd users, which makes JWT tokens invalid', async () => {
    await using etcd = await RealEtcd.start({ version, args: TOKENS.JWT() })
    await enableAuth(etcd, [{ name: 'alice', password: 'secret', prefix: '/hello/' }])
    const registry = await openRegistry([etcd.endpoint], { user: 'alice', password: 'secret' })
    const held = await RegistrationLog.hold(registry, {
      service: 'hello',
      addr: ADDR,
      ttlSeconds: LEASE_TTL_SECONDS,
    })
    await etcd.ctl('user', 'add', 'bob:b')
    expect((await registry.list('hello')).endpoints).toHaveLength(1)
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1002', { weight: 1 }))
    await etcd.ctl('user', 'delete', 'bob')
    expect((await registry.list('hello')).endpoints).toHaveLength(2)
    await delay((LEASE_TTL_SECONDS + 1) * 1_000)
    expect(held.reported).toEqual(['registered'])
    await held.close()
    registry.close()
  })
})
