import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, credentials } from '@grpc/grpc-js'
import { startGreeter } from '../../src/dev/greeter.js'
import type { Update } from '../../src/domain/discovery.js'
import { channelOptions } from '../../src/grpc/channel-options.js'
import { install } from '../../src/grpc/install.js'
import type { Observer, RotationChange } from '../../src/grpc/resolver/observer.js'
import { Registry } from '../../src/registry/registry.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi } from '../support/etcd-api.js'
import { registration } from '../support/etcd-state.js'
import type { Figure } from './figure.js'
import { addressAt, ENDPOINTS, nowMs, weightOf } from './propagation-plan.js'

const WRITER = fileURLToPath(new URL('./propagation-writer-main.ts', import.meta.url))
/** Changes a second, and their number. The aims are for the first; at 200/s changes are collected on purpose. */
const STREAMS = [
  { perSecond: 10, changes: 300, aims: [2, 25], ownAims: [1, null] },
  { perSecond: 200, changes: 2_000, aims: [null, null], ownAims: [null, null] },
] as const

/** From a put to the first pick that uses it, at 1,000 endpoints that are all READY, in a stream with random gaps. */
export async function figures(): Promise<Figure[]> {
  await using etcd = await RealEtcd.start()
  const server = await startGreeter({ port: 0, host: '0.0.0.0' })
  const port = server.addr.split(':')[1] ?? ''
  await fill(etcd.endpoint, port)
  const registry = await Registry.open({ endpoints: [etcd.endpoint], cache: false })
  install({ discovery: registry })
  const rotation = new RotationTimes()
  const client = new Client(
    'etcd:///many',
    credentials.createInsecure(),
    channelOptions({ observer: rotation }),
  )
  client.getChannel().getConnectivityState(true)
  await until(
    () => rotation.size === ENDPOINTS,
    () => `${ENDPOINTS} endpoints to be READY, are ${rotation.size}`,
  )
  const measured: Figure[] = []
  let first = 0
  for (const { perSecond, changes, aims, ownAims } of STREAMS) {
    const delays = await delaysOf([etcd.endpoint, port, perSecond, first, changes], rotation)
    first += changes
    for (const [at, fraction] of [0.5, 0.99].entries()) {
      const of = (times: readonly number[]) => quantile(times, fraction)
      const name = `put to first pick at ${ENDPOINTS} endpoints, ${perSecond} changes/s, p${fraction * 100}`
      const put = `${changes} changes; put answered ${of(delays.puts).toFixed(2)} ms`
      const note = `${put}, plain watch ${of(delays.events).toFixed(2)} ms`
      const ratio = of(delays.picks) / of(delays.events)
      const add = (what: string, measuredMs: number, aim: number | null = null) =>
        measured.push({ name: `${name}, ${what}`, aim, measured: measuredMs, unit: 'ms' })
      measured.push({ name, aim: aims[at] ?? null, measured: of(delays.picks), unit: 'ms', note })
      measured.push({ name: `${name}, to a plain watch`, aim: null, measured: ratio, unit: '×' })
      add('after the answer to the put', of(delays.above))
      add('after the decoded event', of(delays.own), ownAims[at] ?? null)
    }
  }
  client.close()
  registry.close()
  server.stop()
  return measured
}

async function fill(endpoint: string, port: string): Promise<void> {
  const api = new EtcdApi(endpoint)
  const base64 = (value: string) => Buffer.from(value).toString('base64')
  for (let change = 0; change < ENDPOINTS; change++) {
    const [key, value] = registration('many', addressAt(change, port))
    await api.get('KV/Put', { key: base64(key), value: base64(value) })
  }
  api.close()
}

/**
 * Milliseconds from sending each put to the first pick that uses it, to the put's answer, and to the event of a plain
 * watch in the writer's process; from the answer to the pick, below 0 where the pick came first; and from the decoded event
 * in the client, which is the share of the resolver and the balancer, and of the window in which changes are collected.
 *
 * @param writes arguments of the writer
 */
async function delaysOf(
  writes: readonly (string | number)[],
  { heardAtMs, seenAtMs }: RotationTimes,
): Promise<Record<'picks' | 'puts' | 'events' | 'above' | 'own', number[]>> {
  const args = ['--import', 'tsx', WRITER, ...writes.map(String)]
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = (await text(writer.stdout)).trimEnd().split('\n')
  await sleep(200)
  const delays: Awaited<ReturnType<typeof delaysOf>> = { picks: [], puts: [], events: [], above: [], own: [] }
  for (const line of lines) {
    const [change = 0, sentMs = 0, answeredMs = 0, watchedMs = 0] = line.split(' ').map(Number)
    const seenMs = seenAtMs.get(weightOf(change))
    if (seenMs === undefined) throw new Error(`change ${change} never reached the picks`)
    delays.picks.push(seenMs - sentMs)
    delays.puts.push(answeredMs - sentMs)
    delays.events.push(watchedMs - sentMs)
    delays.above.push(seenMs - answeredMs)
    delays.own.push(seenMs - (heardAtMs.get(weightOf(change)) ?? Number.NaN))
  }
  return delays
}

function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(fraction * sorted.length) - 1] ?? Number.NaN
}

/** Notes when a weight is first heard of, and when picks first use it. */
class RotationTimes implements Observer {
  readonly heardAtMs = new Map<number, number>()
  readonly seenAtMs = new Map<number, number>()
  private readonly present = new Set<string>()

  get size(): number {
    return this.present.size
  }

  heard(update: Update): void {
    if (update.type !== 'changes') return
    const atMs = nowMs()
    for (const change of update.changes)
      if (change.type === 'put') for (const { weight } of change.endpoints) this.heardAtMs.set(weight, atMs)
  }

  rotated(changes: readonly RotationChange[]): void {
    const atMs = nowMs()
    for (const { endpoint, weight } of changes) {
      this.present.add(endpoint.id)
      this.seenAtMs.set(weight, atMs)
    }
  }
}
