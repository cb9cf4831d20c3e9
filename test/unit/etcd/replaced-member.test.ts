import { ClientClosedError, type IWatchResponse } from 'etcd3'
import { afterEach, expect, test, vi } from 'vitest'
import { DiscoError } from '../../../src/domain/errors.js'
import type { WatchStream } from '../../../src/etcd/client.js'
import { RoundTrip } from '../../../src/etcd/deadlines.js'
import type { Member } from '../../../src/etcd/member.js'
import { openStream } from '../../../src/etcd/member-stream.js'
import type { Members } from '../../../src/etcd/members.js'
import type { EtcdOptions } from '../../../src/etcd/options.js'
import { request } from '../../../src/etcd/requests.js'
import { liveResponses, SilentWatch } from '../../../src/etcd/watch-liveness.js'

const OPTIONS: EtcdOptions = {
  endpoints: ['a:1'],
  endpointsSource: 'the test',
  commandTimeoutMs: 5_000,
  dialTimeoutMs: 1_000,
}

afterEach(() => {
  vi.useRealTimers()
})

/** A cluster of one member; `replace` is what reading the files again does. */
class Cluster {
  readonly roundTrip = new RoundTrip()
  readonly count = 1
  current = member()
  replace(): void {
    this.current = member()
  }
  moveOnFrom(): void {}
  async refresh(): Promise<boolean> {
    return false
  }
}

function member(): Member {
  return { url: 'http://a:1' } as unknown as Member
}

/** Fails at the first member as a request does that waited for a login when the member was closed. */
function sender(cluster: Cluster, { isReplaced }: { isReplaced: boolean }) {
  const first = cluster.current
  return async (asked: Member) => {
    if (asked !== first) return 'answered' as const
    if (isReplaced) cluster.replace()
    throw new ClientClosedError('KV')
  }
}

test('a request to a member that was closed and replaced is sent to the new one, if its answer was not lost', async () => {
  const cluster = new Cluster()
  const onAnswerLost = vi.fn()
  const send = sender(cluster, { isReplaced: true })
  expect(await request(cluster as unknown as Members, OPTIONS, { onAnswerLost }, send)).toBe('answered')
  expect(onAnswerLost).not.toHaveBeenCalled()
})

test('a request of a closed client fails', async () => {
  const cluster = new Cluster()
  const asked = request(cluster as unknown as Members, OPTIONS, {}, sender(cluster, { isReplaced: false }))
  await expect(asked).rejects.toMatchObject({ code: 'INTERNAL' })
})

test('a stream at a member that was closed and replaced is opened at the new one', async () => {
  const cluster = new Cluster()
  const members = cluster as unknown as Members
  const opened = openStream(members, OPTIONS, cluster.current, sender(cluster, { isReplaced: true }))
  await expect(opened).resolves.toMatchObject({ url: 'http://a:1' })
})

test.each([
  ['a read that fails in this process', new DiscoError('INTERNAL', 'the client was already closed'), true],
  ['a denied read', new DiscoError('ETCD_DENIED', 'no permission'), false],
])('a silent watch beside %s', async (_, failure, isSilent) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const read = vi.fn(() => Promise.reject(failure))
  const stream = { read, write: () => undefined, [Symbol.asyncIterator]: onlyCreated }
  const responses = liveResponses(stream as unknown as WatchStream, Buffer.from('/'))
  await responses.next()
  let end: unknown = null
  responses.next().catch((error: unknown) => {
    end = error
  })
  for (let passes = 0; passes < 30; passes++) {
    await vi.advanceTimersByTimeAsync(500)
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(end instanceof SilentWatch).toBe(isSilent)
  expect(read.mock.calls.length > 1).toBe(!isSilent)
})

/** The stream of a watch that was created and then stays silent. */
async function* onlyCreated(): AsyncGenerator<IWatchResponse, void, void> {
  yield { created: true, canceled: false, events: [] } as unknown as IWatchResponse
  await new Promise(() => undefined)
}
