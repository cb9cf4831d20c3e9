import { describe, expect, test } from 'vitest'
import { prefixRange } from '../../src/etcd/key-range.js'
import { SharedStreams } from '../../src/etcd/shared-streams.js'
import { MAX_WAITING_EVENTS } from '../../src/etcd/stream-queue.js'
import { until } from '../support/disco.js'
import { streamsOnEtcd } from '../support/shared-streams.js'
import { Reading } from '../support/subscriber-reading.js'
import { watchStreams } from '../support/watch-streams.js'

const { etcd, client, writer } = await streamsOnEtcd()

function revisions(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}

async function oneStream(): Promise<void> {
  await until(
    async () => (await watchStreams(etcd)).streams === 1,
    () => 'one stream',
  )
}

describe('a subscriber of a shared stream', () => {
  test('receives events from before the shared stream was opened through a stream of its own, and then shares', async () => {
    const streams = new SharedStreams(client)
    const range = prefixRange(writer.prefix)
    using late = streams.join(range)
    const first = await writer.put(1, 1)
    for (let weight = 2; weight < 10; weight++) await writer.put(1, weight)
    using early = streams.join(range)
    const opened = await writer.put(1, 10)
    const opener = new Reading(early, opened)
    expect(await opener.upTo(opened)).toEqual([opened])
    const catching = new Reading(late, first)
    expect(await catching.upTo(opened)).toEqual(revisions(first, opened))
    const last = await writer.put(1, 11)
    expect(await catching.upTo(last)).toEqual(revisions(first, last))
    expect(await opener.upTo(last)).toEqual(revisions(opened, last))
    await oneStream()
    await catching.end()
    await opener.end()
  })

  test('that stops and starts reading continues at its position, and is confirmed again', async () => {
    const streams = new SharedStreams(client)
    using subscriber = streams.join(prefixRange(writer.prefix))
    using other = streams.join(prefixRange(writer.prefix))
    const first = await writer.put(1, 1)
    const reading = new Reading(subscriber, first)
    const others = new Reading(other, first)
    await reading.upTo(first)
    await others.upTo(first)
    await reading.leave()
    await writer.put(1, 2)
    const last = await writer.put(1, 3)
    expect(await others.upTo(last)).toEqual(revisions(first, last))
    const again = new Reading(subscriber, first)
    expect(await again.upTo(last)).toEqual(revisions(first + 1, last))
    expect(again.created).toBe(1)
    expect(await watchStreams(etcd)).toMatchObject({ streams: 1 })
    await again.end()
    await others.end()
  })

  test('with a stopped reader loses no event, and does not block other subscribers', async () => {
    const streams = new SharedStreams(client)
    using subscriber = streams.join(prefixRange(writer.prefix))
    using other = streams.join(prefixRange(writer.prefix))
    const first = await writer.put(1, 1)
    const slow = new Reading(subscriber, first)
    const quick = new Reading(other, first)
    await slow.upTo(first)
    await quick.upTo(first)
    let last = await writer.fill(MAX_WAITING_EVENTS + 5_000)
    expect(await quick.upTo(last)).toEqual(revisions(first, last))
    expect(await slow.upTo(last)).toEqual(revisions(first, last))
    last = await writer.put(1, 2)
    expect(await slow.upTo(last)).toEqual(revisions(first, last))
    await quick.upTo(last)
    await oneStream()
    await slow.end()
    await quick.end()
  })
})
