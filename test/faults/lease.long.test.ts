import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Registry } from '../../src/registry/registry.js'
import { Disco, type Process, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import {
  grantLease,
  leaseIds,
  registration,
  storedText,
  untilGone,
  untilStored,
} from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { KeyPoll } from '../support/key-poll.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'

const ADDR = '127.0.0.1:1001'
const KEY = `/hello/${ADDR}`
/** Answers are delayed, and leases expire: half a minute, and more on a busy machine. */
const TIMEOUT_MS = 120_000
/** The lease outlives a disconnection, also on a busy machine. */
const LONG_TTL_SECONDS = 60

/** A registration by the tool, in an etcd of its own behind a proxy. */
class HeldByTool implements AsyncDisposable {
  private constructor(
    readonly etcd: RealEtcd,
    readonly proxy: FaultProxy,
    readonly disco: Disco,
    readonly held: Process,
  ) {}

  static async start(ttlSeconds: number, ...flags: string[]): Promise<HeldByTool> {
    const etcd = await RealEtcd.start()
    const proxy = await FaultProxy.start(etcd.endpoint)
    const disco = new Disco(proxy.endpoint)
    const held = disco.start('register', 'hello', ADDR, '--ttl', String(ttlSeconds), ...flags)
    await held.printed('"type":"added"')
    return new HeldByTool(etcd, proxy, disco, held)
  }

  /** The types of the events so far, in order. */
  get events(): unknown[] {
    return this.held.events().map(({ type }) => type)
  }

  get remarks(): string[] {
    return this.held.stderr.split('\n').slice(0, -1)
  }

  async away(): Promise<void> {
    await this.proxy.refuse()
    await this.held.printed('"type":"stale"')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disco.stopAll()
    await this.proxy[Symbol.asyncDispose]()
    await this.etcd.stop()
  }
}

describe.concurrent('a registration', () => {
  test('keeps its lease if etcd is down for 3 s of a TTL of 10 s, and reports at most one outage and its end', async () => {
    await using tool = await HeldByTool.start(10)
    const { etcd, held } = tool
    const before = await leaseIds(etcd)
    await etcd.kill()
    await delay(3_000)
    await etcd.restart()
    await using poll = new KeyPoll([etcd.endpoint], KEY)
    // Longer than the next two keep-alives.
    await delay(8_000)
    expect(poll.absent).toBe(0)
    expect(await leaseIds(etcd)).toEqual(before)
    // An outage between two keep-alives is not noticed.
    expect([['added'], ['added', 'stale', 'resync']]).toContainEqual(tool.events)
    expect(tool.remarks).toHaveLength(tool.events.length - 1)
    expect(held.child.exitCode).toBeNull()
  })

  test('keeps its revived lease if etcd is down for 11 s with a TTL of 8 s, and its key is never missing', async () => {
    await using tool = await HeldByTool.start(8)
    const { etcd, held } = tool
    const before = await leaseIds(etcd)
    await etcd.kill()
    await delay(11_000)
    await etcd.restart()
    {
      await using poll = new KeyPoll([etcd.endpoint], KEY)
      await held.printed('"type":"resync"')
      await delay(12_000)
      expect(poll.looked).toBeGreaterThan(50)
      expect(poll.absent).toBe(0)
    }
    expect(await leaseIds(etcd)).toEqual(before)
    expect(tool.events).toEqual(['added', 'stale', 'resync'])
  })

  test('is created again once with a new lease if etcd restarts without its data', async () => {
    await using tool = await HeldByTool.start(9)
    const { etcd, held } = tool
    await etcd.throwAway()
    await etcd.restart()
    await held.printed('"again":true')
    await expectHeldByOneLease(etcd)
    expect(tool.events.filter((type) => type === 'added')).toHaveLength(2)
  })

  test('is created again if etcd is restored to an older state without the key, at any revision', async () => {
    await using tool = await HeldByTool.start(9)
    const { etcd, held, disco } = tool
    const saved = await etcd.save()
    await held.end('SIGTERM')
    const later = disco.start('register', 'hello', '127.0.0.1:1002', '--ttl', '9')
    await later.printed('"type":"added"')
    await etcd.restore(saved)
    await etcd.restart()
    await later.printed('"again":true')
    expect(await storedText(etcd, '/hello/127.0.0.1:1002')).not.toBe('')
  })

  test('is created again once, long before the next keep-alive, if its lease is revoked from outside', async () => {
    await using tool = await HeldByTool.start(60)
    const { etcd, held } = tool
    const [lease = ''] = await leaseIds(etcd)
    const start = Date.now()
    await etcd.ctl('lease', 'revoke', lease)
    await held.printed('"again":true')
    // The next keep-alive would be due after a third of the TTL: 20 s.
    expect(Date.now() - start).toBeLessThan(10_000)
    expect(await storedText(etcd, KEY)).not.toBe('')
    const now = await leaseIds(etcd)
    expect(now).toHaveLength(1)
    expect(now).not.toContain(lease)
    await delay(1_000)
    expect(tool.events).toEqual(['added', 'added'])
  })

  test('is created again after the reconnect if its lease was revoked while it was disconnected', async () => {
    await using tool = await HeldByTool.start(LONG_TTL_SECONDS)
    const { etcd, proxy, held } = tool
    await tool.away()
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('lease', 'revoke', lease)
    await proxy.accept()
    await held.printed('"again":true')
    expect(await storedText(etcd, KEY)).not.toBe('')
    expect(tool.events.filter((type) => type === 'added')).toHaveLength(2)
  })

  test('ends as deregistered if its key was deleted while it was disconnected and its lease was alive', async () => {
    await using tool = await HeldByTool.start(LONG_TTL_SECONDS)
    const { etcd, proxy, held } = tool
    await tool.away()
    await etcd.ctl('del', KEY)
    await proxy.accept()
    expect((await held.exited()).code).toBe(0)
    expect(held.events().at(-1)).toMatchObject({ type: 'gone', reason: 'deregistered' })
    expect(await storedText(etcd, KEY)).toBe('')
    expect(await leaseIds(etcd)).toEqual([])
  })

  test('with --on-delete reregister restores a key that was deleted while it was disconnected, under the same lease', async () => {
    await using tool = await HeldByTool.start(LONG_TTL_SECONDS, '--on-delete', 'reregister')
    const { etcd, proxy, held } = tool
    await tool.away()
    const before = await leaseIds(etcd)
    await etcd.ctl('del', KEY)
    await proxy.accept()
    await held.printed('"again":true')
    expect(await storedText(etcd, KEY)).not.toBe('')
    expect(await leaseIds(etcd)).toEqual(before)
  })

  test('adopts a value that was written under its lease while it was disconnected', async () => {
    await using tool = await HeldByTool.start(LONG_TTL_SECONDS)
    const { etcd, proxy, held } = tool
    await tool.away()
    const [lease = ''] = await leaseIds(etcd)
    await etcd.ctl('put', ...registration('hello', ADDR, { weight: 9 }), `--lease=${lease}`)
    await proxy.accept()
    await held.printed('"type":"weight"')
    expect(held.events().find(({ type }) => type === 'weight')).toMatchObject({ from: 1, to: 9 })
    await etcd.ctl('lease', 'revoke', lease)
    await held.printed('"again":true')
    expect(await storedText(etcd, KEY)).toContain('"weight":9')
  })

  test('attaches its lease to a key that was overwritten without a lease while it was disconnected', async () => {
    await using tool = await HeldByTool.start(LONG_TTL_SECONDS)
    const { etcd, proxy, held } = tool
    await tool.away()
    await etcd.ctl('put', ...registration('hello', ADDR, { weight: 9 }))
    await proxy.accept()
    await held.printed('"reattached":true')
    expect(await storedText(etcd, KEY)).toContain('"weight":9')
    const [lease = ''] = await leaseIds(etcd)
    expect(await etcd.ctl('lease', 'timetolive', lease, '--keys')).toContain(KEY)
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await storedText(etcd, KEY)).toBe('')
  })

  test('reports a key that was taken over while it was disconnected, changes nothing and exits 6', async () => {
    await using tool = await HeldByTool.start(LONG_TTL_SECONDS)
    const { etcd, proxy, held } = tool
    await tool.away()
    const other = await grantLease(etcd, 100)
    await etcd.ctl('put', ...registration('hello', ADDR, { weight: 7 }), `--lease=${other}`)
    await proxy.accept()
    const { code, stderr } = await held.exited()
    expect(code).toBe(6)
    expect(stderr).toContain(`taken over by lease ${other}`)
    expect(await storedText(etcd, KEY)).toContain('"weight":7')
    expect(await leaseIds(etcd)).toEqual([other])
  })

  test('is created again once after SIGCONT if its process was stopped for longer than the TTL', async () => {
    await using tool = await HeldByTool.start(9)
    const { etcd, held } = tool
    held.child.kill('SIGSTOP')
    await untilGone(etcd, KEY)
    held.child.kill('SIGCONT')
    await held.printed('"again":true')
    await expectHeldByOneLease(etcd)
    expect(tool.events.filter((type) => type === 'added')).toHaveLength(2)
  })
})

describe.concurrent('a lost answer from etcd', { timeout: TIMEOUT_MS }, () => {
  /** Delay of answers, so that the test observes a change in etcd before the registrar does. */
  const LATE_MS = 2_000

  test('to the first put of a registration: the registrar recognizes its key, and reports it once', async () => {
    await using etcd = await RealEtcd.start()
    await using proxy = await FaultProxy.start(etcd.endpoint)
    const disco = new Disco(proxy.endpoint)
    try {
      proxy.delay(LATE_MS, 'toClient')
      const held = disco.start('register', 'hello', ADDR, '--ttl', '9', '--command-timeout', '20s')
      await untilStored(etcd, KEY)
      expect(held.stdout).toBe('')
      proxy.cut()
      await proxy.heal()
      await held.printed('"type":"added"')
      await expectHeldByOneLease(etcd)
      expect(held.events()).toHaveLength(1)
    } finally {
      await disco.stopAll()
    }
  })

  test.each(['put the key again', 'granted a lease again'] as const)(
    'after etcd has %s for a registration whose lease was lost: it is created again once, and held',
    async (moment) => {
      await using etcd = await RealEtcd.start()
      await using proxy = await FaultProxy.start(etcd.endpoint)
      const registry = await openRegistry([proxy.endpoint])
      const log = await RegistrationLog.hold(registry, { service: 'hello', addr: ADDR, ttlSeconds: 9 })
      try {
        const [lost = ''] = await leaseIds(etcd)
        proxy.delay(LATE_MS, 'toClient')
        await etcd.ctl('lease', 'revoke', lost)
        if (moment === 'put the key again') await untilStored(etcd, KEY)
        else {
          await until(
            async () => (await leaseIds(etcd)).length === 1,
            () => 'the new lease',
          )
        }
        expect(log.reported).not.toContain('registered again')
        proxy.cut()
        await proxy.heal()
        await log.untilReported('registered again')
        // A lease whose grant was not answered is not used, and expires.
        await expectHeldByOneLease(etcd)
        expect(log.reported.filter((events) => events === 'registered again')).toHaveLength(1)
        expect(log.end).toBeNull()
      } finally {
        await closeAll(log, registry)
      }
    },
  )
})

/** Checks that the key has the only lease in etcd, and that this lease is renewed: it outlives its remaining TTL. */
async function expectHeldByOneLease(etcd: RealEtcd): Promise<void> {
  await until(
    async () => (await leaseIds(etcd)).length === 1,
    () => 'one lease, and no other',
  )
  const [lease = ''] = await leaseIds(etcd)
  const leftSeconds = async () => {
    const output = await etcd.ctl('lease', 'timetolive', lease, '--keys')
    expect(output).toContain(KEY)
    return Number(/remaining\((-?\d+)s\)/.exec(output)?.[1])
  }
  // etcd reports whole seconds, and expires a lease up to half a second late.
  const wouldEndAt = Date.now() + ((await leftSeconds()) + 2) * 1_000
  await until(
    async () => (await leftSeconds()) >= 0 && Date.now() > wouldEndAt,
    () => `lease ${lease} to outlive its time left`,
  )
}

async function closeAll(log: RegistrationLog, registry: Registry): Promise<void> {
  await log.close()
  registry.close()
}
