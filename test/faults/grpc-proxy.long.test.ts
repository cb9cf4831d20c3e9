import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { RealEtcd } from '../support/etcd.js'
import { versionsUnderTest } from '../support/etcd-binary.js'
import { GrpcProxy } from '../support/grpc-proxy.js'
import { openRegistry } from '../support/registry.js'
import { UpdateLog } from '../support/update-log.js'
import { Writer } from '../support/writer.js'

/** Longer than two liveness checks of 6.5 s. A proxy that is mistaken for a mute server is reported within the first. */
const QUIET_MS = 14_000

describe.concurrent('behind etcd grpc-proxy, which does not answer progress requests, a watch', () => {
  test.each(versionsUnderTest())(
    'of etcd %s stays silent without changes, reports changes, and notices that the proxy is frozen',
    async (version) => {
      await using etcd = await RealEtcd.start({ version })
      await using proxy = await GrpcProxy.start(etcd.endpoint, version)
      using writer = new Writer(etcd.endpoint, 'proxied')
      await writer.put(1, 1)
      const registry = await openRegistry([proxy.endpoint])
      const log = new UpdateLog(registry, 'proxied')
      try {
        await log.has('the first list', () => log.count('reset') === 1)
        await delay(QUIET_MS)
        await log.reached(await writer.put(1, 2))
        await log.reached(await writer.putMany(200, 10))
        expect(log.types).toEqual(['reset', 'changes'])
        proxy.pause()
        await log.has('the outage', () => log.count('stale') === 1)
        const last = await writer.put(2, 2)
        proxy.resume()
        await log.reached(last)
        expect(log.types.filter((type) => type !== 'changes')).toEqual(['reset', 'stale', 'resync'])
      } finally {
        await log[Symbol.asyncDispose]()
        registry.close()
      }
    },
  )
})
