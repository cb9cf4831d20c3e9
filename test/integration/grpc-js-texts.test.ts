import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { connectionFailure, socketFailure } from '../../src/net/connection-failure.js'
import {
  callFailure,
  httpStatusOf,
  isAboutConnection,
  isAboveLimit,
  lastError,
} from '../../src/net/grpc-js-texts.js'

const servers: Server[] = []
const sockets = new Set<Socket>()

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const server of servers.splice(0)) server.close()
})

/** An HTTP/2 server that answers each request by `answer`. */
function http2Server(answer: (stream: ServerHttp2Stream) => void): Server {
  return createHttp2Server().on('stream', (stream) => {
    stream.on('error', () => undefined)
    answer(stream)
  })
}

async function addressOf(server: Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The error details of a failing call, as the installed grpc-js reports them. */
async function detailsOf(target: string, { deadlineMs = 10_000, options = {} } = {}): Promise<string> {
  const client = new Client(target, credentials.createInsecure(), options)
  const identity = (bytes: Buffer) => bytes
  try {
    return await new Promise<string>((resolve, reject) => {
      const deadline = { deadline: Date.now() + deadlineMs }
      client.makeUnaryRequest('/a.B/C', identity, identity, Buffer.alloc(0), deadline, (error) =>
        error ? resolve((error as ServiceError).details) : reject(new Error('the call succeeded')),
      )
    })
  } finally {
    client.close()
  }
}

describe('the error texts of the installed grpc-js are classified:', () => {
  test('a call without a listening server has no connection, because it was refused', async () => {
    const details = await detailsOf('127.0.0.1:1')
    expect(callFailure(details)).toBe('no-connection')
    expect(isAboutConnection(details)).toBe(true)
    expect(connectionFailure(lastError(details) ?? '')).toBe('refused')
  })

  test('a name that does not resolve has no pick, because the host is unknown', async () => {
    const details = await detailsOf('dns:no-such-host.invalid:1')
    expect(callFailure(details)).toBe('no-pick')
    expect(connectionFailure(details)).toBe('unknown-host')
  })

  test('a server that accepts and never answers has no pick before the deadline', async () => {
    const details = await detailsOf(await addressOf(createServer()), { deadlineMs: 300 })
    expect(callFailure(details)).toBe('no-pick')
  })

  test('a server that closes before HTTP/2 starts has no connection, because it was reset or dropped', async () => {
    const details = await detailsOf(await addressOf(createServer((socket) => socket.destroy())))
    expect(callFailure(details)).toBe('no-connection')
    expect(connectionFailure(details) ?? socketFailure(details)).toMatch(/^(dropped|reset)$/)
  })

  test('a connection that ends during a call was dropped, or the stream was reset', async () => {
    const server = http2Server((stream) => stream.session?.destroy())
    expect(callFailure(await detailsOf(await addressOf(server)))).toBe('connection-dropped')
    const resetting = http2Server((stream) => stream.close(2))
    expect(callFailure(await detailsOf(await addressOf(resetting)))).toBe('stream-reset')
  })

  test('an HTTP reply without gRPC is reported with its status', async () => {
    const server = http2Server((stream) => {
      stream.respond({ ':status': 418 })
      stream.end()
    })
    const details = await detailsOf(await addressOf(server))
    expect(httpStatusOf(details)).toBe(418)
    expect(callFailure(details)).toBeNull()
  })

  test('a reply above the size limit of the channel is reported with the limit', async () => {
    const server = http2Server((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      const frame = Buffer.alloc(105)
      frame.writeUInt32BE(100, 1)
      stream.end(frame)
    })
    const options = { 'grpc.max_receive_message_length': 10 }
    expect(isAboveLimit(await detailsOf(await addressOf(server), { options }), 10)).toBe(true)
  })
})
