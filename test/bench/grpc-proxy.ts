import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi, type Message } from '../support/etcd-api.js'
import { GrpcProxy } from '../support/grpc-proxy.js'

const REGISTRARS = 100
const WATCHERS = 100
const PUTS = 50
const KEEP_ALIVE_PERIOD_MS = 500
const DURATION_MS = 5_000

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What reaches etcd of the streams, renewals and events that clients have at `etcd grpc-proxy`. */
export async function run(): Promise<void> {
  console.log('| clients at | what | at the clients | at etcd |')
  console.log('|---|---|---|---|')
  for (const through of ['etcd', 'etcd grpc-proxy']) {
    await using etcd = await RealEtcd.start()
    await using proxy = through === 'etcd' ? null : await GrpcProxy.start(etcd.endpoint, '3.5')
    const endpoint = proxy?.endpoint ?? etcd.endpoint
    for (const cells of [...(await leases(etcd, endpoint)), ...(await watches(etcd, endpoint))])
      console.log(`| ${[through, ...cells].join(' | ')} |`)
  }
}

/** Registrars with a connection and a keep-alive stream each. */
async function leases(etcd: RealEtcd, endpoint: string): Promise<(string | number)[][]> {
  const apis = Array.from({ length: REGISTRARS }, () => new EtcdApi(endpoint))
  let renewed = 0
  const renewedBefore = await received(etcd, 'LeaseKeepAlive')
  const streams = await Promise.all(
    apis.map(async (api) => {
      const { ID } = (await api.get('Lease/LeaseGrant', { TTL: '60' })) as { ID?: string }
      const stream = api.stream('Lease/LeaseKeepAlive')
      stream.on('error', () => undefined)
      stream.on('data', () => renewed++)
      stream.write({ ID })
      const timer = setInterval(() => stream.write({ ID }), KEEP_ALIVE_PERIOD_MS)
      return { stream, timer }
    }),
  )
  await sleep(DURATION_MS)
  const open = await openStreams(etcd, 'LeaseKeepAlive')
  const atEtcd = (await received(etcd, 'LeaseKeepAlive')) - renewedBefore
  const atClients = renewed
  for (const { stream, timer } of streams) {
    clearInterval(timer)
    stream.cancel()
  }
  for (const api of apis) api.close()
  return [
    ['keep-alive streams', REGISTRARS, open],
    ['renewals', atClients, atEtcd],
  ]
}

/** Clients with a connection and a watch of the same key each. */
async function watches(etcd: RealEtcd, endpoint: string): Promise<(string | number)[][]> {
  const apis = Array.from({ length: WATCHERS }, () => new EtcdApi(endpoint))
  let created = 0
  let events = 0
  for (const api of apis) {
    const stream = api.stream('Watch/Watch')
    stream.on('error', () => undefined)
    stream.on('data', (response: Message) => {
      if (response.created) created++
      events += (response.events as readonly unknown[]).length
    })
    stream.write({ create_request: { key: base64('watched') } })
  }
  await until(
    () => created === WATCHERS,
    () => `${WATCHERS} watches, are ${created}`,
  )
  const open = await openStreams(etcd, 'Watch')
  const sentBefore = await metric(etcd, 'etcd_debugging_mvcc_events_total')
  const writer = new EtcdApi(etcd.endpoint)
  for (let put = 0; put < PUTS; put++)
    await writer.get('KV/Put', { key: base64('watched'), value: base64(String(put)) })
  await until(
    () => events === PUTS * WATCHERS,
    () => `${PUTS * WATCHERS} events, are ${events}`,
  )
  const atEtcd = (await metric(etcd, 'etcd_debugging_mvcc_events_total')) - sentBefore
  for (const api of [...apis, writer]) api.close()
  return [
    ['watch streams', WATCHERS, open],
    ['events', PUTS * WATCHERS, atEtcd],
  ]
}

/** Streams of a method that etcd has accepted and not ended. */
async function openStreams(etcd: RealEtcd, method: string): Promise<number> {
  return (
    (await metric(etcd, 'grpc_server_started_total', method)) -
    (await metric(etcd, 'grpc_server_handled_total', method))
  )
}

function received(etcd: RealEtcd, method: string): Promise<number> {
  return metric(etcd, 'grpc_server_msg_received_total', method)
}

/** A metric of etcd's, summed over its other labels. */
async function metric({ endpoint }: RealEtcd, name: string, method = ''): Promise<number> {
  const text = await (await fetch(`http://${endpoint}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const own = lines.filter((line) => method === '' || line.includes(`grpc_method="${method}"`))
  return own.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
