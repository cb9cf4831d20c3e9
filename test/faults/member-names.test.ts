import { describe, expect, test } from 'vitest'
import { Disco, type Process } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { freePorts } from '../support/ports.js'
import { RefusingProxy } from '../support/refusing-proxy.js'

/** All methods, requests and streams. */
const ALL = /./

describe.each(versionsUnderTest())(
  'with one of three members of etcd %s without a leader, and the others refusing connections,',
  (version) => {
    test('every message names the right member with each reason', async () => {
      await using etcd = await RealEtcd.start({ version })
      await using refusing = await RefusingProxy.start(etcd.endpoint)
      await using link = await FaultProxy.start(refusing.endpoint)
      const dead = (await freePorts(2)).map((port) => `127.0.0.1:${port}`)
      const disco = new Disco([link.endpoint, ...dead].join(','))
      try {
        const held = disco.start('register', 'hello', '127.0.0.1:1001', '--ttl', '5')
        await held.printed('"type":"added"')
        const watch = disco.start('watch', 'hello')
        await watch.printed('"type":"synced"')
        refusing.refuse(ALL, { code: 14, message: 'etcdserver: no leader' })
        link.cut()
        await Promise.all([held, watch].map((one) => one.printed('"type":"stale"')))
        const list = disco.start('ls', 'hello')
        expect((await list.exited()).code).toBe(3)
        expectEachNamed([held, watch, list], link.endpoint, dead)
        expect(list.stderr).toContain(`etcd at ${link.endpoint} has no leader`)
        expect(list.stderr).toMatch(/connection refused/)
      } finally {
        await disco.stopAll()
      }
    })
  },
)

/** Splits the messages into reasons, and checks that each names only members that gave it. */
function expectEachNamed(all: readonly Process[], leaderless: string, dead: readonly string[]): void {
  const lines = all.flatMap(({ stdout, stderr }) => `${stdout}${stderr}`.split('\n'))
  const reasons = lines.flatMap((line) => line.split(/(?<=\.) /))
  for (const reason of reasons) {
    const named = [leaderless, ...dead].filter((endpoint) => reason.includes(endpoint))
    if (reason.includes('has no leader')) expect(named).toEqual([leaderless])
    if (reason.includes('connection refused')) expect(named).not.toContain(leaderless)
  }
  expect(reasons.some((reason) => /has no leader|connection refused/.test(reason))).toBe(true)
}
