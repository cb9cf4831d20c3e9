import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Update } from '../../src/domain/discovery.js'
import { LiveSnapshot } from '../../src/domain/live-snapshot.js'
import { ListCache } from '../../src/registry/cache.js'
import { cachedWatch } from '../../src/registry/cached-watch.js'
import { endpoint } from '../support/endpoints.js'

/**
 * A watched list of `size` endpoints that changes `perSecond` times a second for a minute, with a cache or without.
 * Prints CPU time of that minute, and what was written in it, as JSON.
 */
const [size = 0, perSecond = 0] = process.argv.slice(2).map(Number)
const hasCache = process.argv[4] === 'cache'
const MINUTE_MS = 60_000
const TARGET = { members: ['etcd:2379'], layout: 'seed', root: '', service: 'hello' }

class CountedCache extends ListCache {
  bytes = 0
  writes = 0

  constructor(private readonly place: string) {
    super(place, (message) => console.error(message))
  }

  override async write(...written: Parameters<ListCache['write']>): Promise<void> {
    await super.write(...written)
    this.writes++
    for (const name of readdirSync(this.place)) this.bytes += statSync(join(this.place, name)).size
  }
}

function endpointAt(index: number, weight: number) {
  const addr = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:9000`
  return endpoint({ addr, weight, lease: '7587848943239461641' })
}

const folder = mkdtempSync(join(tmpdir(), 'disco-bench-cache-'))
const snapshot = new LiveSnapshot()
const cache = new CountedCache(folder)

async function* updates(): AsyncGenerator<Update, void, void> {
  const endpoints = Array.from({ length: size }, (_, index) => endpointAt(index, 1))
  yield { type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 }
  // The first list is written whatever follows; the minute begins after it.
  await sleep(2_000)
  const { bytes, writes } = cache
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  for (let change = 1; ; change++) {
    const aheadMs = startMs + (change * 1_000) / perSecond - performance.now()
    if (aheadMs > 1) await sleep(aheadMs)
    if (performance.now() - startMs > MINUTE_MS) break
    const changed = endpointAt((change * 7) % size, change + 1)
    const put = { type: 'put', key: changed.key, endpoints: [changed] } as const
    yield { type: 'changes', revision: change + 1, changes: [put] }
  }
  // A write that the first change makes due is a second late, and may take a second.
  await sleep(2_500)
  const { user, system } = process.cpuUsage(cpu)
  const measured = {
    cpuMs: (user + system) / 1_000,
    bytes: cache.bytes - bytes,
    writes: cache.writes - writes,
  }
  console.log(JSON.stringify(measured))
}

const watched = hasCache ? cachedWatch(updates(), snapshot, cache, TARGET, MINUTE_MS) : updates()
for await (const update of watched) snapshot.apply(update)
rmSync(folder, { recursive: true, maxRetries: 5 })
process.exit()
