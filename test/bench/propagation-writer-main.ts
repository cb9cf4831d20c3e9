import { setTimeout as sleep } from 'node:timers/promises'
import { EtcdApi } from '../support/etcd-api.js'
import { registration } from '../support/etcd-state.js'
import { addressAt, nowMs, weightOf } from './propagation-plan.js'

/**
 * Writes a steady stream of weight changes with random gaps: etcd's endpoint, `PORT PER_SECOND FIRST COUNT` as
 * arguments. Prints `CHANGE SENT ANSWERED` for each put, times in milliseconds since the epoch.
 */
const [, , endpoint = '', port = '', perSecond = '', first = '', count = ''] = process.argv
const api = new EtcdApi(endpoint)
const base64 = (text: string): string => Buffer.from(text).toString('base64')
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
api.close()

async function put(change: number): Promise<void> {
  const [key, value] = registration('many', addressAt(change, port), { weight: weightOf(change) })
  const sentMs = nowMs()
  await api.get('KV/Put', { key: base64(key), value: base64(value) })
  console.log(`${change} ${sentMs} ${nowMs()}`)
}
