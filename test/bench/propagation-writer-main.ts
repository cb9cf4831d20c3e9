import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { EtcdApi } from '../support/etcd-api.js'
import { registration } from '../support/etcd-state.js'
import { addressAt, nowMs, weightOf } from './propagation-plan.js'

/**
 * Writes a steady stream of weight changes with random gaps: etcd's endpoint, `PORT PER_SECOND FIRST COUNT` as
 * arguments. Prints `CHANGE SENT ANSWERED WATCHED` for each put, times in milliseconds since the epoch; the last is that of
 * the event of a plain watch in this process.
 */
const [, , endpoint = '', port = '', perSecond = '', first = '', count = ''] = process.argv
const api = new EtcdApi(endpoint)
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const watched = new Map<number, (atMs: number) => void>()
const stream = await watchWeights()
const startMs = performance.now()
const puts: Promise<void>[] = []
let dueMs = 0
for (let change = Number(first); change < Number(first) + Number(count); change++) {
  dueMs += (-Math.log(1 - Math.random()) * 1_000) / Number(perSecond)
  const aheadMs = startMs + dueMs - performance.now()
  if (aheadMs > 0) await sleep(aheadMs)
  puts.push(put(change))
}
await Promise.all(puts)
stream.cancel()
api.close()

async function put(change: number): Promise<void> {
  const [key, value] = registration('many', addressAt(change, port), { weight: weightOf(change) })
  const event = new Promise<number>((resolve) => watched.set(weightOf(change), resolve))
  const sentMs = nowMs()
  await api.get('KV/Put', { key: base64(key), value: base64(value) })
  const answeredMs = nowMs()
  console.log(`${change} ${sentMs} ${answeredMs} ${await event}`)
}

/** Resolves once etcd has confirmed the watch. */
async function watchWeights() {
  const opened = api.stream('Watch/Watch')
  opened.on('error', () => undefined)
  const confirmed = once(opened, 'data')
  opened.on('data', (response: Events) => {
    const atMs = nowMs()
    for (const { kv } of response.events) {
      const { weight } = JSON.parse(Buffer.from(kv.value, 'base64').toString()) as { weight: number }
      watched.get(weight)?.(atMs)
    }
  })
  opened.write({ create_request: { key: base64('/many/'), range_end: base64('/many0') } })
  await confirmed
  return opened
}

interface Events {
  readonly events: readonly { readonly kv: { readonly value: string } }[]
}
