import { expect, test } from 'vitest'
import { prefixRange } from '../../src/etcd/key-range.js'
import { SharedStreams } from '../../src/etcd/shared-streams.js'
import { until } from '../support/disco.js'
import { streamsOnEtcd } from '../support/shared-streams.js'
import { Reading } from '../support/subscriber-reading.js'
import { watchStreams } from '../support/watch-streams.js'
import { Writer } from '../support/writer.js'

const { etcd, client, writer } = await streamsOnEtcd()

test('a late subscriber shares the stream even if it was opened after a period without events', async () => {
  const streams = new SharedStreams(client)
  const range = prefixRange(writer.prefix)
  using late = streams.join(range)
  using early = streams.join(range)
  const first = await writer.put(1, 1)
  using other = new Writer(etcd.endpoint, 'other')
  await other.put(1, 1)
  const opened = await other.put(1, 2)
  const opener = new Reading(early, opened)
  const behind = new Reading(late, first)
  const reads = [opener.upTo(opened + 1), behind.upTo(opened + 1)]
  await until(
    async () => (await watchStreams(etcd)).watchers === 2,
    () => 'a stream of its own',
  )
  await until(
    async () => (await watchStreams(etcd)).streams === 1,
    () => 'one stream',
  )
  const last = await writer.put(1, 2)
  expect(await Promise.all(reads)).toEqual([[last], [first, last]])
  await behind.end()
  await opener.end()
})
