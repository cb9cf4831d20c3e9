import { once } from 'node:events'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { surveyHealth } from '../../src/agent/health-survey.js'
import { Backend } from '../support/backend.js'
import { until } from '../support/disco.js'
import { endpoint } from '../support/endpoints.js'

const SILENT = 40
const AT_ONCE = 32

test('every address is asked, 32 at a time: the next one when one has answered or failed', async () => {
  await using answering = await Backend.start()
  const open = new Set<Socket>()
  let [accepted, ended, most] = [0, 0, 0]
  const endAll = () => {
    ended += open.size
    for (const socket of open) socket.destroy()
    open.clear()
  }
  const servers = Array.from({ length: SILENT }, () =>
    createServer((socket) => {
      open.add(socket.on('error', () => undefined))
      accepted++
      most = Math.max(most, accepted - ended)
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const silent = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  const endpoints = [...silent, answering.addr, answering.addr].map((addr) => endpoint({ addr }))
  const asked = surveyHealth(endpoints, { deadlineMs: 60_000 })
  for (const wanted of [AT_ONCE, SILENT]) {
    await until(
      () => accepted === wanted,
      () => `${wanted} connections, got ${accepted}`,
    )
    endAll()
  }
  const found = await asked
  expect(most).toBe(AT_ONCE)
  expect(found.size).toBe(SILENT + 1)
  expect(found.get(answering.addr)).toMatchObject({ isHealthy: true, status: 'SERVING' })
  for (const addr of silent) expect(found.get(addr)).toMatchObject({ isHealthy: false, isConnected: false })
  for (const server of servers) server.close()
})

test('a web server that answers 404 is no gRPC server without grpc.health.v1', async () => {
  const server = createHttp2Server((_, response) => {
    response.writeHead(404)
    response.end('no such page')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const addr = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const found = await surveyHealth([endpoint({ addr })], { deadlineMs: 60_000 })
  expect(found.get(addr)).toMatchObject({ isHealthy: false, problem: 'answers HTTP 404, not gRPC' })
  server.close()
})
