import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi, type Message } from '../support/etcd-api.js'
import type { Figure } from './figure.js'

const LEASES = 10_000
/** As registrars do: each has a connection of its own, with one renewal under way. */
const REGISTRARS = 500
const KEEP_ALIVE_MS = 4_000

const WATCHERS = 10_000
const CONNECTIONS = 20
const KEYS = 100
const PUTS = 300

/** Of the kernel's clock for CPU times (Linux). */
const TICK_US = 10_000

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What one etcd carries, by its own CPU and memory: clients of this bench share the machine with it. */
export async function figures(): Promise<Figure[]> {
  await using etcd = await RealEtcd.start()
  return [...(await keepAlives(etcd)), ...(await watchers(etcd))]
}

async function keepAlives(etcd: RealEtcd): Promise<Figure[]> {
  const apis = Array.from({ length: REGISTRARS }, () => new EtcdApi(etcd.endpoint))
  const grantUs = cpuOf(etcd.pid)
  const ids = await granted(apis.slice(0, 8))
  const leaseUs = (cpuOf(etcd.pid) - grantUs) / LEASES
  const rssBefore = rssOf(etcd.pid)
  await Promise.all(apis.map((api) => api.get('Maintenance/Status', {})))
  const connectionBytes = (rssOf(etcd.pid) - rssBefore) / (REGISTRARS - 8)
  const startUs = cpuOf(etcd.pid)
  const startMs = performance.now()
  const counts = await Promise.all(apis.map((api, at) => pump(api, ids, at)))
  const seconds = (performance.now() - startMs) / 1_000
  const renewals = counts.reduce((sum, count) => sum + count)
  const us = (cpuOf(etcd.pid) - startUs) / renewals
  for (const api of apis) api.close()
  const note = `${(renewals / seconds).toFixed(0)}/s reached, ${LEASES.toLocaleString('en')} leases`
  return [
    { name: 'etcd: CPU a keep-alive', aim: null, measured: us, unit: 'µs', note },
    { name: 'etcd: keep-alives/s on one core', aim: null, measured: 1e6 / us, unit: '/s' },
    { name: 'etcd: CPU a granted lease', aim: null, measured: leaseUs, unit: 'µs' },
    { name: 'etcd: memory a connection', aim: null, measured: connectionBytes / 1_000, unit: 'kB' },
  ]
}

async function granted(apis: readonly EtcdApi[]): Promise<string[]> {
  const ids: string[] = []
  let left = LEASES
  const worker = async (api: EtcdApi) => {
    while (left-- > 0) ids.push(String((await api.get('Lease/LeaseGrant', { TTL: '600' })).ID))
  }
  await Promise.all(apis.flatMap((api) => Array.from({ length: 8 }, () => worker(api))))
  return ids
}

/** Renews leases in turn over one stream. @returns how many were renewed */
async function pump(api: EtcdApi, ids: readonly string[], offset: number): Promise<number> {
  const stream = api.stream('Lease/LeaseKeepAlive')
  const endMs = performance.now() + KEEP_ALIVE_MS
  let next = offset
  let renewed = 0
  const ask = () => {
    stream.write({ ID: ids[next % ids.length] })
    next += REGISTRARS
  }
  ask()
  for await (const _ of stream) {
    renewed++
    if (performance.now() > endMs) break
    ask()
  }
  stream.cancel()
  return renewed
}

/** Each watcher has a stream of its own, as a client's watch has; a hundred of them watch one key. */
async function watchers(etcd: RealEtcd): Promise<Figure[]> {
  const apis = Array.from({ length: CONNECTIONS }, () => new EtcdApi(etcd.endpoint))
  const rssBefore = rssOf(etcd.pid)
  let created = 0
  let events = 0
  for (let at = 0; at < WATCHERS; at++) {
    const stream = apis[at % CONNECTIONS]?.stream('Watch/Watch')
    stream?.on('error', () => undefined)
    stream?.on('data', (response: Message) => {
      if (response.created) created++
      events += (response.events as readonly unknown[]).length
    })
    stream?.write({ create_request: { key: base64(`watched-${at % KEYS}`) } })
  }
  while (created < WATCHERS) await sleep(20)
  const bytes = (rssOf(etcd.pid) - rssBefore) / WATCHERS
  const startUs = cpuOf(etcd.pid)
  const writer = new EtcdApi(etcd.endpoint)
  for (let put = 0; put < PUTS; put++)
    await writer.get('KV/Put', { key: base64(`watched-${put % KEYS}`), value: base64('x'.repeat(100)) })
  const expected = (PUTS * WATCHERS) / KEYS
  while (events < expected) await sleep(20)
  const us = (cpuOf(etcd.pid) - startUs) / expected
  for (const api of [...apis, writer]) api.close()
  return [
    { name: 'etcd: CPU an event sent to one of 100 watchers', aim: null, measured: us, unit: 'µs' },
    { name: 'etcd: memory a watch on a stream of its own', aim: null, measured: bytes / 1_000, unit: 'kB' },
  ]
}

/** User and system time of a process, in µs. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

/** Resident memory of a process, in bytes. */
function rssOf(pid: number): number {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb) * 1024
}
