import { request } from 'node:http'
import { Metadata, status } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import { startAdmin } from '../../src/net/admin/server.js'
import { proxyAdmin } from '../../src/proxy/admin.js'
import type { CallEnd } from '../../src/proxy/call.js'
import { ProxyMetrics } from '../../src/proxy/metrics.js'
import { until } from '../support/disco.js'
import { FourKinds, unary } from '../support/four-kinds.js'
import { proxies } from '../support/proxied.js'
import { expectShape } from '../support/shape.js'

const started = proxies()

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

it('the proxy’s admin handler counts calls by endpoint and status, and shows each endpoint', async () => {
  const [a, b] = [await backend(), await backend()]
  const metrics = new ProxyMetrics()
  const ended = (end: CallEnd) => metrics.count(end)
  const endpoints = [{ addr: a.addr, weight: 3 }, { addr: b.addr }, { addr: '127.0.0.1:9', weight: 0 }]
  const proxied = await started(endpoints, { ended })
  const ask = await admin(proxied.proxy, metrics)
  const client = proxied.client()
  for (let call = 0; call < 8; call++) await unary(client)
  const failing = new Metadata()
  failing.set('x-status', String(status.NOT_FOUND))
  const failed = await unary(client, { metadata: failing })
  a.isHoldingBack = true
  b.isHoldingBack = true
  const held = unary(client)
  await until(
    () => a.held + b.held === 1,
    () => 'the call that is held back',
  )
  const holder = a.held === 1 ? a.addr : b.addr
  const { body } = await ask('/metrics')
  expect(body).toContain(`\ndisco_proxy_calls_total{service="hello",endpoint="${a.addr}",code="OK"} 6\n`)
  expect(body).toContain(`\ndisco_proxy_calls_total{service="hello",endpoint="${b.addr}",code="OK"} 2\n`)
  expect(body).toContain(
    `\ndisco_proxy_calls_total{service="hello",endpoint="${failed.addr}",code="NOT_FOUND"} 1\n`,
  )
  expect(body).toContain(`\ndisco_proxy_outstanding{service="hello",endpoint="${holder}"} 1\n`)
  expect(body).toContain('\n# TYPE disco_proxy_latency_seconds histogram\n')
  expect(body).toContain('\ndisco_proxy_latency_seconds_bucket{service="hello",le="+Inf"} 9\n')
  expect(body).toContain('\ndisco_proxy_latency_seconds_count{service="hello"} 9\n')
  expect(body).toContain(`\ndisco_proxy_endpoint_weight{service="hello",endpoint="${a.addr}"} 3\n`)
  const doc = JSON.parse((await ask('/endpoints')).body)
  expectShape('proxy-endpoints', doc)
  expect(doc.services[0].target).toBe('etcd:///hello')
  expect(doc.services[0].endpoints).toMatchObject([
    { addr: a.addr, weight: 3, ready: true, problem: null },
    { addr: b.addr, weight: 1, ready: true, problem: null },
    { addr: '127.0.0.1:9', weight: 0, ready: false, problem: 'connection refused', outstanding: 0 },
  ])
  a.answer()
  b.answer()
  await held
})

it('the proxy’s admin handler reports healthy while the proxy accepts calls and knows its endpoints', async () => {
  const one = await backend()
  const proxied = await started([{ addr: one.addr }])
  const ask = await admin(proxied.proxy, new ProxyMetrics())
  const health = await ask('/healthz')
  expect(health.status).toBe(200)
  expectShape('proxy-health', JSON.parse(health.body))
  expect((await ask('/livez')).status).toBe(200)
  one.isHoldingBack = true
  const held = unary(proxied.client())
  await until(
    () => one.held === 1,
    () => 'the call that is held back',
  )
  const drained = proxied.proxy.drain()
  expect(await ask('/readyz')).toMatchObject({
    status: 503,
    body: expect.stringContaining('"problem":"draining"'),
  })
  one.answer()
  await held
  await drained
})

async function admin(proxy: Parameters<typeof proxyAdmin>[0]['proxy'], metrics: ProxyMetrics) {
  const server = await startAdmin({ host: '127.0.0.1', port: 0 }, proxyAdmin({ proxy, metrics, token: null }))
  stops.push(() => server[Symbol.asyncDispose]())
  return (path: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const asked = request(`http://${server.address}${path}`, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
      asked.once('error', reject)
      asked.end()
    })
}

async function backend(): Promise<FourKinds> {
  const one = await FourKinds.start()
  stops.push(() => one.stop())
  return one
}
