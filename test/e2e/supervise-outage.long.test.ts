import { expect, test } from 'vitest'
import { Registry } from '../../src/registry/registry.js'
import { Disco } from '../support/disco.js'
import { storedText, untilGone } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { freePorts } from '../support/ports.js'
import { isAlive, pidIn, script, WAITS } from '../support/script.js'
import { acceptingPort, isUp, keyOf, serverCommand, supervise } from '../support/supervised.js'
import { supervisedOnOwnEtcd } from '../support/supervised-on-etcd.js'
import { Traffic } from '../support/traffic.js'

const SERVERS = 5

const { etcd, disco, history } = await supervisedOnOwnEtcd()

const IDLES = script(WAITS)

test('five supervised servers restarted one by one under 200 calls a second fail no call', async () => {
  const ports = await freePorts(SERVERS)
  const start = (port: number) =>
    supervise(disco, 'rolling', port, {
      flags: ['--probe', 'grpc', '--drain', '500ms'],
      command: serverCommand(port),
    })
  const up = new Map(ports.map((port) => [port, start(port)]))
  await Promise.all([...up.values()].map((held) => held.printed('Twice: now.')))
  const registry = await Registry.open({ endpoints: [etcd.endpoint], cache: false })
  {
    await using traffic = new Traffic(registry, 'rolling')
    await traffic.flows(200)
    for (const [port, held] of up) {
      expect((await held.end('SIGTERM')).code).toBe(0)
      const again = start(port)
      await again.printed('Twice: now.')
      await traffic.flows(100)
    }
    await traffic.flows(200)
    await traffic.stop()
    expect(traffic.failures).toEqual([])
    expect(traffic.ok).toBeGreaterThan(900)
  }
  registry.close()
}, 180_000)

test('a supervised server keeps running if etcd is unreachable for longer than the TTL, and its key is registered again', async () => {
  const { port, server } = await acceptingPort()
  const key = keyOf('away', port)
  await using link = await FaultProxy.start(etcd.endpoint)
  const through = new Disco(link.endpoint)
  // Long enough to change the weight and to keep the lease on a busy machine until then.
  const flags = ['--ttl', '6', '--json']
  const held = supervise(through, 'away', port, { flags, command: IDLES })
  await held.printed('"type":"added"')
  await held.printed(/pid \d+\n/)
  const pid = pidIn(held.stderr)
  expect((await disco.run('weight', 'away', `127.0.0.1:${port}`, '4', '--force')).code).toBe(0)
  await held.printed('"type":"weight"')
  await link.refuse()
  await untilGone(etcd, key)
  await held.printed('"type":"stale"')
  expect(isAlive(pid)).toBe(true)
  await link.heal()
  await held.printed('"again":true')
  expect(await storedText(etcd, key)).toContain('"weight":4')
  expect(isAlive(pid)).toBe(true)
  expect(held.stderr).not.toContain('stopping')
  expect(held.stderr).toMatch(/! etcd does not answer.*\n {2}etcd answers again\n! lease \w+ is gone/)
  expect((await held.end('SIGTERM')).code).toBe(0)
  const types = held.events().map(({ type }) => type)
  expect(types.slice(0, 5)).toEqual(['added', 'weight', 'stale', 'resync', 'added'])
  expect(types.at(-1)).toBe('gone')
  await through.stopAll()
  server.close()
})

test('a supervised server keeps its lease if etcd is down for less than the TTL', async () => {
  const { port, server } = await acceptingPort()
  const held = supervise(disco, 'down', port, { flags: ['--ttl', '30'], command: IDLES })
  await isUp(held)
  const pid = pidIn(held.stdout)
  await etcd.kill()
  await held.printed('! etcd does not answer')
  await etcd.restart()
  await held.printed('etcd answers again; the lease still holds')
  expect(isAlive(pid)).toBe(true)
  expect((await held.end('SIGTERM')).code).toBe(0)
  expect(await history('down', port)).toEqual([1, 0, null])
  server.close()
})

test('a supervised server starts while etcd is unreachable, and is registered once etcd answers', async () => {
  const { port, server } = await acceptingPort()
  await etcd.kill()
  const held = supervise(disco, 'early', port, { flags: ['--command-timeout', '500ms'], command: IDLES })
  await held.printed('! etcd does not answer')
  expect(isAlive(pidIn(held.stderr))).toBe(true)
  await etcd.restart()
  await held.printed('✓ accepts connections')
  expect(await storedText(etcd, keyOf('early', port))).toContain('"weight":1')
  expect((await held.end('SIGTERM')).code).toBe(0)
  server.close()
})

test('a supervised server is stopped while etcd is unreachable, and its key expires with its lease', async () => {
  const { port, server } = await acceptingPort()
  const key = keyOf('late', port)
  const flags = ['--ttl', '2', '--command-timeout', '500ms']
  const held = supervise(disco, 'late', port, { flags, command: IDLES })
  await isUp(held)
  await etcd.kill()
  const { code, stderr } = await held.end('SIGTERM')
  expect(code).toBe(0)
  expect(stderr).toContain('the key goes when its lease lapses')
  expect(isAlive(pidIn(held.stdout))).toBe(false)
  await etcd.restart()
  await untilGone(etcd, key)
  server.close()
})
