import { describe, test } from 'vitest'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { openRegistry } from '../support/registry.js'
import { expectHistory, shareOneStream, watchAll } from '../support/shared-range.js'
import { watchStreams } from '../support/watch-streams.js'

describe('watches of several services in one range', () => {
  test('share one etcd stream, and each reports only its own service', async () => {
    await using etcd = await RealEtcd.start()
    const registry = await openRegistry([etcd.endpoint], { layout: 'auto' })
    const watched = await watchAll(etcd, registry)
    for (const one of watched) await expectHistory(one, await one.writer.put(1, 5))
    await shareOneStream(etcd)
    const [first, ...others] = watched
    await first?.log[Symbol.asyncDispose]()
    for (const one of others) await expectHistory(one, await one.writer.put(2, 6))
    await shareOneStream(etcd)
    for (const { log } of others) await log[Symbol.asyncDispose]()
    await until(
      async () => (await watchStreams(etcd)).streams === 0,
      () => 'the stream to be closed',
    )
    for (const { writer } of watched) writer[Symbol.dispose]()
    registry.close()
  })
})
