import { once } from 'node:events'
import { createServer, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { surveyHealth } from '../../src/agent/health/survey.js'
import { endpointId } from '../../src/domain/endpoint.js'
import { Backend } from '../support/backend.js'
import { until } from '../support/disco.js'
import { endpoint } from '../support/endpoints.js'

const SLOW = 140
const AT_ONCE = 128

test('a health survey checks every address, 128 at a time, and starts the next check after each result', async () => {
  await using answering = await Backend.start()
  const waiting = new Set<Http2ServerResponse>()
  let [asked, most] = [0, 0]
  const servers = Array.from({ length: SLOW }, () =>
    createServer((_, response) => {
      waiting.add(response)
      asked++
      most = Math.max(most, waiting.size)
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const slow = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  const endpoints = [...slow, answering.addr, answering.addr].map((addr) => endpoint({ addr }))
  const survey = surveyHealth(endpoints, { deadlineMs: 60_000 })
  for (const wanted of [AT_ONCE, SLOW]) {
    await until(
      () => asked === wanted,
      () => `${wanted} to be asked, got ${asked}`,
    )
    for (const response of waiting) {
      waiting.delete(response)
      response.writeHead(503)
      response.end()
    }
  }
  const found = await survey
  expect(most).toBe(AT_ONCE)
  const of = (addr: string) => found.get(endpointId(endpoint({ addr })))
  expect(of(answering.addr)).toMatchObject({ isHealthy: true, status: 'SERVING' })
  for (const addr of slow) expect(of(addr)).toMatchObject({ isHealthy: false, isConnected: false })
  for (const server of servers) server.close()
})

test('a web server that answers 404 is not reported as a gRPC server without grpc.health.v1', async () => {
  const server = createServer((_, response) => {
    response.writeHead(404)
    response.end('no such page')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const addr = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const found = await surveyHealth([endpoint({ addr })], { deadlineMs: 60_000 })
  expect(found.get(endpointId(endpoint({ addr })))).toMatchObject({
    isHealthy: false,
    problem: 'answers HTTP 404, not gRPC',
  })
  server.close()
})
