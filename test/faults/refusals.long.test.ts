import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Disco, type Process, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi } from '../support/etcd-api.js'
import { enableAuth } from '../support/etcd-auth.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { leaseIds, registration, storedText } from '../support/etcd-state.js'
import { RefusingProxy } from '../support/refusing-proxy.js'

const ADDR = '127.0.0.1:1001'
const KEY = `/hello/${ADDR}`
/** Longer than the first retries after a refusal. */
const QUIET_MS = 3_000

interface World {
  readonly etcd: RealEtcd
  readonly proxy: RefusingProxy
}

interface Case {
  readonly what: string
  readonly begin: (world: World) => unknown
  readonly mend: (world: World) => unknown
  /** The registrar’s message about the refusal. */
  readonly message: RegExp
  readonly ttl?: string
}

const WRITES = /Txn|LeaseGrant/

const CASES: readonly Case[] = [
  {
    what: 'is out of space',
    begin: ({ etcd }) => raiseNoSpace(etcd),
    mend: ({ etcd }) => etcd.ctl('alarm', 'disarm'),
    message: /out of space and refuses writes \(NOSPACE alarm\)/,
  },
  {
    what: 'has too many requests',
    begin: ({ proxy }) => proxy.refuse(WRITES, { code: 8, message: 'etcdserver: too many requests' }),
    mend: ({ proxy }) => proxy.accept(),
    message: /overloaded/,
  },
  {
    what: 'has no leader',
    begin: ({ proxy }) => proxy.refuse(WRITES, { code: 14, message: 'etcdserver: no leader' }),
    mend: ({ proxy }) => proxy.accept(),
    message: /has no leader/,
  },
  {
    what: 'denies the permission',
    begin: ({ etcd }) => etcd.ctl('user', 'revoke-role', 'alice', 'alice'),
    mend: ({ etcd }) => etcd.ctl('user', 'grant-role', 'alice', 'alice'),
    message: /denies alice the permission/,
    // The answer to the next keep-alive, that the lease is lost, ends the report of the denial, and a second one begins.
    // It is later than the end of the quiet time.
    ttl: '60',
  },
]

async function raiseNoSpace(etcd: RealEtcd): Promise<void> {
  const api = new EtcdApi(etcd.endpoint)
  expect(await api.call('Maintenance/Alarm', { action: 1, alarm: 1 })).toHaveProperty('ok')
  api.close()
}

/** A registrar that was started with an admin handler. */
class Administered {
  constructor(
    readonly held: Process,
    private readonly url: string,
  ) {}

  async get(path: string): Promise<{ status: number; body: string }> {
    const answer = await fetch(`${this.url}${path}`)
    return { status: answer.status, body: await answer.text() }
  }

  async becomes(status: number): Promise<void> {
    await until(
      async () => (await this.get('/healthz')).status === status,
      () => `/healthz ${status}; standard error: ${this.held.stderr}`,
    )
  }

  lines(pattern: RegExp): string[] {
    return this.held.stderr.split('\n').filter((line) => pattern.test(line))
  }
}

async function startRegistrar(disco: Disco, ttl = '5'): Promise<Administered> {
  const held = disco.start('register', 'hello', ADDR, '--ttl', ttl, '--admin', ':0')
  await held.printed('"type":"added"')
  await held.printed('admin handler on')
  const [, url = ''] = /admin handler on (\S+)/.exec(held.stderr) ?? []
  return new Administered(held, url)
}

describe.each(versionsUnderTest())('with etcd %s', (version) => {
  test.concurrent.each(CASES)(
    'a registrar whose lease is lost reports that etcd refuses requests, and the end of that: $what',
    async ({ begin, mend, message, what, ttl }) => {
      await using etcd = await RealEtcd.start({ version })
      if (what.includes('denies'))
        await enableAuth(etcd, [{ name: 'alice', password: 'secret', prefix: '/hello/' }])
      await using proxy = await RefusingProxy.start(etcd.endpoint)
      const world = { etcd, proxy }
      const login = what.includes('denies') ? { DISCO_USER: 'alice', DISCO_PASSWORD: 'secret' } : {}
      const disco = new Disco(proxy.endpoint, login)
      try {
        const registrar = await startRegistrar(disco, ttl)
        expect((await registrar.get('/readyz')).status).toBe(200)
        const [lease = ''] = await leaseIds(etcd)
        await begin(world)
        await etcd.ctl('lease', 'revoke', lease)

        await registrar.becomes(503)
        await registrar.held.printed('is not registered')
        const health = await registrar.get('/healthz')
        expect(JSON.parse(health.body)).toMatchObject({ healthy: false, phase: 'registering' })
        expect(JSON.parse(health.body).reason).toMatch(message)
        expect((await registrar.get('/readyz')).status).toBe(503)
        expect(await registrar.get('/livez')).toMatchObject({ status: 200 })
        expect((await registrar.get('/metrics')).body).toMatch(/^disco_registered\{.*\} 0$/m)
        const own = await registrar.get('/')
        if (own.status === 200) expect(JSON.parse(own.body)).toMatchObject({ endpoints: [] })
        expect(own.body).toMatch(message)
        await delay(QUIET_MS)
        expect(registrar.lines(message)).toHaveLength(1)

        await mend(world)
        await registrar.becomes(200)
        expect(await storedText(etcd, KEY)).not.toBe('')
        expect((await registrar.get('/metrics')).body).toMatch(/^disco_registered\{.*\} 1$/m)
        expect(JSON.parse((await registrar.get('/healthz')).body)).toMatchObject({ reason: null, etcd: null })
        expect(registrar.lines(/is registered again/)).toHaveLength(1)
        expect(await registrar.held.end('SIGTERM')).toMatchObject({ code: 0 })
      } finally {
        await disco.stopAll()
      }
    },
  )

  test.concurrent('a registrar is healthy during an outage shorter than the TTL, and reports the start of the outage', async () => {
    await using etcd = await RealEtcd.start({ version })
    const disco = new Disco(etcd.endpoint)
    try {
      // A TTL longer than the outage, even on a busy machine.
      const registrar = await startRegistrar(disco, '30')
      await etcd.kill()
      await registrar.held.printed('"type":"stale"')
      const health = await registrar.get('/healthz')
      expect(health.status).toBe(200)
      expect(JSON.parse(health.body).etcd).toMatch(/^unreachable since \d{4}-/)
      expect((await registrar.get('/metrics')).body).toMatch(/^disco_etcd_up 0$/m)
      await etcd.restart()
      await registrar.held.printed('"type":"resync"')
      expect((await registrar.get('/metrics')).body).toMatch(/^disco_etcd_up 1$/m)
      expect(JSON.parse((await registrar.get('/healthz')).body)).toMatchObject({ healthy: true, etcd: null })
    } finally {
      await disco.stopAll()
    }
  })

  test.concurrent('drain fails if etcd is out of space, but drain --force and unregister remove the key', async () => {
    await using etcd = await RealEtcd.start({ version })
    const disco = new Disco(etcd.endpoint)
    for (const port of [1001, 1002, 1003]) {
      await etcd.ctl('put', ...registration('hello', `127.0.0.1:${port}`, { weight: 1 }))
    }
    await raiseNoSpace(etcd)
    const refused = await disco.run('drain', 'hello', ADDR)
    expect(refused).toMatchObject({ code: 3 })
    expect(refused.stderr).toMatch(/out of space.*\n.*alarm disarm/)
    expect(await storedText(etcd, KEY)).not.toBe('')
    const forced = await disco.run('drain', 'hello', ADDR, '--force', '--json')
    expect(forced).toMatchObject({ code: 0 })
    expect(JSON.parse(forced.stdout)).toMatchObject({
      key: KEY,
      unregistered: true,
      endpoints: [{ addr: ADDR }],
    })
    expect(await storedText(etcd, KEY)).toBe('')
    expect(await disco.run('unregister', 'hello', '127.0.0.1:1002')).toMatchObject({ code: 0 })
  })
})
