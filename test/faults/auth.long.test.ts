import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { DiscoError } from '../../src/domain/errors.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { leaseIds, registration, storedText } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'
import { UpdateLog } from '../support/update-log.js'

const TOKEN_TTL_SECONDS = 2
/** Time after which a token has expired: its TTL, and two of etcd’s checks, which run once a second. */
const EXPIRED_MS = (TOKEN_TTL_SECONDS + 2) * 1_000
const ADDR = '127.0.0.1:1001'

/** An etcd with authentication and short-lived tokens, and a registry that logs in through a proxy. */
class Guarded implements AsyncDisposable {
  private constructor(
    readonly etcd: RealEtcd,
    readonly proxy: FaultProxy,
    readonly registry: Registry,
  ) {}

  static async start(): Promise<Guarded> {
    const etcd = await RealEtcd.start({ args: ['--auth-token-ttl', String(TOKEN_TTL_SECONDS)] })
    await enableAuth(etcd, [{ name: 'alice', password: 'secret', prefix: '/hello/' }])
    const proxy = await FaultProxy.start(etcd.endpoint)
    const registry = await openRegistry([proxy.endpoint], { user: 'alice', password: 'secret' })
    return new Guarded(etcd, proxy, registry)
  }

  /** Registers the endpoint with a weight. Returns the revision of the put. */
  async put(weight: number): Promise<number> {
    await this.etcd.ctl('put', ...registration('hello', ADDR, { weight }))
    const { header } = JSON.parse(await this.etcd.ctl('get', '/', '-w', 'json')) as {
      header: { revision: number }
    }
    return header.revision
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.registry.close()
    await this.proxy[Symbol.asyncDispose]()
    await this.etcd.stop()
  }
}

describe.concurrent('with tokens that expire after 2 s', () => {
  test('a watch continues when its token expires, and after every cut that happens after the expiry', async () => {
    await using guarded = await Guarded.start()
    const { proxy, registry } = guarded
    await using log = new UpdateLog(registry, 'hello')
    await log.has('the first list', () => log.count('reset') === 1)
    const weights: number[] = []
    for (const round of [1, 2, 3]) {
      await delay(EXPIRED_MS)
      if (round > 1) proxy.cut()
      weights.push(round)
      await log.reached(await guarded.put(round))
    }
    expect(log.changes.map(({ weight }) => weight)).toEqual(weights)
    expect(log.count('reset')).toBe(1)
    expect(log.failure).toBeNull()
  })

  test('a watch continues after a restart of etcd, which invalidates all tokens', async () => {
    await using guarded = await Guarded.start()
    const { etcd, registry } = guarded
    await using log = new UpdateLog(registry, 'hello')
    await log.has('the first list', () => log.count('reset') === 1)
    await etcd.restart()
    await log.reached(await guarded.put(1))
    await etcd.restart()
    await log.reached(await guarded.put(2))
    expect(log.changes.map(({ weight }) => weight)).toEqual([1, 2])
    expect(log.count('reset')).toBe(1)
  })

  test('a registration survives the expiry of its tokens, is created again when its lease is revoked, and is removed by close', async () => {
    await using guarded = await Guarded.start()
    const { etcd, registry } = guarded
    const held = await RegistrationLog.hold(registry, { service: 'hello', addr: ADDR, ttlSeconds: 15 })
    await delay(EXPIRED_MS)
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('lease', 'revoke', lease)
    await held.untilReported('registered again')
    expect(await storedText(etcd, held.key)).not.toBe('')
    await delay(EXPIRED_MS)
    await held.close()
    expect(await storedText(etcd, held.key)).toBe('')
    expect(await leaseIds(etcd)).toEqual([])
    expect(held.reported).toEqual(['registered', 'lease lost', 'registered again'])
  })

  test('a list logs in again after the token has expired', async () => {
    await using guarded = await Guarded.start()
    const { registry } = guarded
    for (const weight of [1, 2]) {
      await guarded.put(weight)
      expect((await registry.list('hello')).endpoints).toMatchObject([{ weight }])
      await delay(EXPIRED_MS)
    }
  })

  test('logins use the connection to their member, however often tokens expire', async () => {
    await using guarded = await Guarded.start()
    const { proxy, registry } = guarded
    await guarded.put(1)
    for (const _ of [1, 2]) {
      expect((await registry.list('hello')).endpoints).toHaveLength(1)
      await delay(EXPIRED_MS)
    }
    expect(proxy.accepted).toBe(1)
  })

  test('a watch whose permission is revoked reports that once and continues when it is granted again; a watch that joins it receives its list, and a new watch throws', async () => {
    await using guarded = await Guarded.start()
    const { etcd, proxy, registry } = guarded
    await using log = new UpdateLog(registry, 'hello')
    await log.has('the first list', () => log.count('reset') === 1)
    await etcd.ctl('user', 'revoke-role', 'alice', 'alice')
    proxy.cut()
    await log.has('the refusal', () => log.count('stale') === 1)
    expect(log.updates.at(-1)).toMatchObject({ type: 'stale', cause: { code: 'ETCD_DENIED' } })
    await using joined = new UpdateLog(registry, 'hello')
    await joined.has('what the first watch knows', () => joined.count('stale') === 1)
    expect(joined.types).toEqual(['reset', 'stale'])
    expect(joined.updates.at(-1)).toMatchObject({ type: 'stale', cause: { code: 'ETCD_DENIED' } })
    const separate = await openRegistry([proxy.endpoint], { user: 'alice', password: 'secret' })
    try {
      await using another = new UpdateLog(separate, 'hello')
      await until(
        () => another.failure !== null,
        () => `the refusal, got ${JSON.stringify(another.updates)}`,
      )
      expect(another.failure).toBeInstanceOf(DiscoError)
      expect((another.failure as DiscoError).code).toBe('ETCD_DENIED')
    } finally {
      separate.close()
    }
    await etcd.ctl('user', 'grant-role', 'alice', 'alice')
    await log.reached(await guarded.put(1))
    expect(log.failure).toBeNull()
    expect(log.types).toEqual(expect.arrayContaining(['reset', 'stale', 'resync']))
    expect(log.count('stale')).toBe(1)
  })
})
