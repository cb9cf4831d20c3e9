import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Registry } from '../../src/registry/registry.js'
import { Disco, until } from '../support/disco.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { untilStored } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { RegistrationLog } from '../support/registration-log.js'
import { openRegistry } from '../support/registry.js'
import { Writer } from '../support/writer.js'

const IN_PROCESS = 57
const COMMANDS = 3
/** Number of registrars in the shorter test, one process each. */
const FEW = 5
const FEW_DROPPED_MS = 6_000
/** Sixty registrars start at once, and return at once: a busy machine takes seconds for that. */
const TTL_SECONDS = 8
/** Longer than the TTL. A new leader, which a busy machine may elect, extends every lease by its whole TTL. */
const MIN_DROPPED_MS = 11_000
/** In the first second, grpc-js connects four times to each of three members, because its backoff starts at 0.2 s. */
const MAX_IN_BUSIEST_SECOND = 16
/** After the first second, grpc-js connects to each member about once a second. */
const MAX_PER_SECOND = 6
/** A registrar that reconnects connects only to the members that it uses. */
const MAX_TO_COME_BACK = 6
/** The backoff of one second has a jitter of 20 % in both directions. */
const MIN_SPREAD_MS = 200

/** A registrar, and the links between it and the members, which no other registrar uses. */
interface Linked {
  readonly links: readonly FaultProxy[]
  readonly end: () => unknown
}

function mean(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0) / counts.length
}

async function linksTo(cluster: EtcdCluster): Promise<FaultProxy[]> {
  return await Promise.all(cluster.members.map(({ endpoint }) => FaultProxy.start(endpoint)))
}

describe.each(versionsUnderTest())('with etcd %s', (version) => {
  test('sixty registrars that lose etcd at the same time connect a few times a second each, and return spread over time', async ({
    annotate,
  }) => {
    await using cluster = await EtcdCluster.start(version)
    const [first] = cluster.members
    if (!first) throw new Error('a cluster has a first member')
    const logs: RegistrationLog[] = []
    const disco = new Disco('')
    const hold = async (index: number): Promise<Linked> => {
      const links = await linksTo(cluster)
      const registry: Registry = await openRegistry(links.map(({ endpoint }) => endpoint))
      const registration = { service: 'hello', addr: `127.0.0.1:${1_001 + index}`, ttlSeconds: TTL_SECONDS }
      const log = await RegistrationLog.hold(registry, registration)
      logs.push(log)
      return { links, end: () => log.close().finally(() => registry.close()) }
    }
    const command = async (index: number): Promise<Linked> => {
      const links = await linksTo(cluster)
      const endpoints = links.map(({ endpoint }) => endpoint).join(',')
      const args = ['hello', `127.0.0.1:${2_001 + index}`, '--ttl', String(TTL_SECONDS)]
      const started = disco.start('register', ...args, '--endpoints', endpoints)
      await started.printed('"type":"added"')
      return { links, end: () => started.end('SIGTERM') }
    }
    const all = await Promise.all([
      ...Array.from({ length: IN_PROCESS }, (_, index) => hold(index)),
      ...Array.from({ length: COMMANDS }, (_, index) => command(index)),
    ])
    using writer = new Writer(first.endpoint, 'hello')
    try {
      await delay(1_000)
      const links = all.flatMap((one) => one.links)
      const droppedAtMs = performance.now()
      for (const link of links) link.drop()
      await delay(MIN_DROPPED_MS)
      // Every lease has expired, so that all registrars register again at the same time.
      await until(
        async () => (await writer.view()).size === 0,
        () => 'the end of all leases',
      )
      for (const link of links) await link.heal()
      const healedAtMs = performance.now()
      await until(
        async () => (await writer.view()).size === all.length,
        () => `all registrations; ${logs.map(({ reported: events }) => events.join(' ')).join(', ')}`,
      )
      await Promise.all(logs.map((log) => log.untilReported('registered again')))

      /** Number of connections of each registrar in a period of time. */
      const between = (fromMs: number, toMs: number) =>
        all.map(({ links }) => {
          const times = links.flatMap(({ acceptedAtMs }) => acceptedAtMs)
          return times.filter((atMs) => atMs >= fromMs && atMs < toMs).length
        })
      const seconds = Array.from({ length: 10 }, (_, at) => {
        const fromMs = droppedAtMs + at * 1_000
        return mean(between(fromMs, fromMs + 1_000)).toFixed(1)
      })
      await annotate(`connections of each, by second: ${seconds.join(' ')}`)
      expect(Math.max(...seconds.map(Number))).toBeLessThanOrEqual(MAX_IN_BUSIEST_SECOND)
      expect(
        mean(between(droppedAtMs, healedAtMs)) / ((healedAtMs - droppedAtMs) / 1_000),
      ).toBeLessThanOrEqual(MAX_PER_SECOND)
      // Each registrar must keep trying.
      expect(Math.min(...between(droppedAtMs, healedAtMs))).toBeGreaterThan(3)
      expect(Math.max(...between(healedAtMs, Number.POSITIVE_INFINITY))).toBeLessThanOrEqual(MAX_TO_COME_BACK)
      const firstBack = all.map(({ links }) =>
        Math.min(...links.flatMap(({ acceptedAtMs }) => acceptedAtMs.filter((atMs) => atMs >= healedAtMs))),
      )
      expect(Math.max(...firstBack) - Math.min(...firstBack)).toBeGreaterThan(MIN_SPREAD_MS)
      for (const { reported: events, end } of logs) {
        expect(end).toBeNull()
        expect(events).toEqual(['registered', 'trouble', 'recovered', 'lease lost', 'registered again'])
      }
    } finally {
      await Promise.all(all.map(({ end }) => end()))
      await disco.stopAll()
      for (const { links } of all) for (const link of links) await link.refuse()
    }
  })

  test('registrars whose connections are all dropped connect a few times a second each, and recover afterwards', async () => {
    await using cluster = await EtcdCluster.start(version)
    const disco = new Disco(cluster.endpoints.join(','))
    const accepted = () => cluster.proxies.reduce((sum, proxy) => sum + proxy.accepted, 0)
    try {
      const addresses = Array.from({ length: FEW }, (_, index) => `127.0.0.1:${1001 + index}`)
      const all = addresses.map((addr) => disco.start('register', 'hello', addr, '--ttl', '5'))
      await Promise.all(all.map((one) => one.printed('"type":"added"')))
      const before = accepted()
      const droppedAtMs = performance.now()
      for (const proxy of cluster.proxies) proxy.drop()
      await delay(FEW_DROPPED_MS)
      // A busy machine ends the wait late.
      const droppedSeconds = (performance.now() - droppedAtMs) / 1_000
      const each = (accepted() - before) / FEW / droppedSeconds
      for (const proxy of cluster.proxies) await proxy.heal()
      expect(each).toBeLessThan(MAX_PER_SECOND)
      // Each registrar must keep trying.
      expect(each).toBeGreaterThan(0.5)
      await Promise.all(all.map((one) => one.printed('"type":"resync"')))
      // A lease that was lost meanwhile is replaced once the link works again.
      for (const addr of addresses) await untilStored(cluster.members[0] as never, `/hello/${addr}`)
    } finally {
      await disco.stopAll()
    }
  })
})
