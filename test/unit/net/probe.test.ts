import { createServer as createHttp1Server } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { speaksPlaintext, speaksTls } from '../../../src/net/probe.js'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function urlOf(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a probed server', () => {
  const others: [string, () => Server][] = [
    ['hangs up at once', () => createServer((socket) => socket.destroy())],
    ['hangs up in order', () => createServer((socket) => socket.end())],
    ['sends something else', () => createServer((socket) => socket.end('220 mail.example ready\r\n'))],
    ['speaks HTTP/1', () => createHttp1Server((_, response) => response.end())],
    ['says nothing', () => createServer((socket) => socket.resume().once('error', () => undefined))],
  ]

  test('speaks plaintext if it sends HTTP/2 frames without TLS', async () => {
    expect(await speaksPlaintext(await urlOf(createHttp2Server()))).toBe(true)
  })

  test.each(others)('does not speak plaintext if it %s', async (_what, server) => {
    expect(await speaksPlaintext(await urlOf(server()))).toBe(false)
  })

  test.each(others)('does not speak TLS if it %s', async (_what, server) => {
    expect(await speaksTls(await urlOf(server()))).toBe(false)
  })

  test('a port without a listener speaks neither', async () => {
    expect(await speaksPlaintext('http://127.0.0.1:1')).toBe(false)
    expect(await speaksTls('http://127.0.0.1:1')).toBe(false)
  })
})
