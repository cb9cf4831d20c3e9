import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Registry } from '../../src/registry/registry.js'
import { until } from './disco.js'
import type { RealEtcd } from './etcd.js'
import { historyOf } from './etcd-history.js'
import { UpdateLog } from './update-log.js'
import { watchStreams } from './watch-streams.js'
import { Writer } from './writer.js'

const SERVICES = ['apples', 'pears', 'plums'] as const

export interface Watched {
  readonly writer: Writer
  readonly log: UpdateLog
}

/** Watches each service with one registry in the layout `auto`, so that all watches share the range of all keys. */
export async function watchAll(etcd: RealEtcd, registry: Registry): Promise<Watched[]> {
  const watched = SERVICES.map((service) => ({
    writer: new Writer(etcd.endpoint, service),
    log: new UpdateLog(registry, service),
  }))
  for (const { log } of watched) await log.has('the first list', () => log.count('reset') === 1)
  return watched
}

/** Checks that a watch reported all events of its service since the first list, once and in order. */
export async function expectHistory({ writer, log }: Watched, upTo: number): Promise<void> {
  await log.reached(upTo)
  const [first] = log.updates
  const after = first?.type === 'reset' ? first.revision : 0
  expect(log.changes).toEqual(await historyOf(writer.api, writer.prefix, { after, upTo }))
}

/**
 * Waits until etcd has one watch stream: the shared stream opens after the first list, and the stream of a history
 * closes.
 */
export async function shareOneStream(etcd: RealEtcd): Promise<void> {
  await until(
    async () => isDeepStrictEqual(await watchStreams(etcd), { streams: 1, watchers: 1 }),
    () => 'one watch on one stream',
  )
}
