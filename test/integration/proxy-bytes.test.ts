import { once } from 'node:events'
import {
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { proxies } from '../support/proxied.js'

const started = proxies()

/** A message that is marked as compressed, with bytes that no compression algorithm has produced. */
const MESSAGE = Buffer.from([1, 0, 0, 0, 3, 0xff, 0x00, 0xfe])

const REQUEST = {
  ':method': 'POST',
  ':scheme': 'http',
  ':authority': 'any.name:1',
  ':path': '/a.B/C?d',
  te: 'trailers',
  'content-type': 'application/grpc+x',
  'grpc-encoding': 'own',
  'grpc-timeout': '12345678u',
  'x-twice': ['a', 'b, c'],
  'x-empty': '',
  'x-bin': 'AP8',
  'user-agent': 'test/1',
}

const REPLY = {
  ':status': 200,
  'content-type': 'application/grpc+y',
  'grpc-encoding': 'other',
  'x-r': ['1', '2'],
}

const servers: Http2Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

it('the proxy forwards headers, bytes and trailers unchanged', async () => {
  const seen: { headers?: readonly string[]; body?: Buffer } = {}
  const addr = await backend((stream, _headers, raw) => {
    seen.headers = raw
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('end', () => {
      seen.body = Buffer.concat(chunks)
      stream.respond(REPLY, { waitForTrailers: true })
      stream.once('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': '3', 'grpc-message': 'n%C3%B6', 'x-t': ['1', '2'] }),
      )
      stream.end(MESSAGE)
    })
  })
  const reply = await call((await started([{ addr }])).proxy.address)
  expect(pairs(seen.headers ?? [])).toEqual(flat(REQUEST))
  expect(seen.body).toEqual(MESSAGE)
  expect(withoutDate(reply.headers)).toEqual(flat(REPLY))
  expect(reply.body).toEqual(MESSAGE)
  expect(pairs(reply.trailers)).toEqual(['grpc-status: 3', 'grpc-message: n%C3%B6', 'x-t: 1', 'x-t: 2'])
})

it('the proxy forwards the answer of a server that does not speak gRPC', async () => {
  const addr = await backend((stream) => {
    stream.respond({ ':status': 503, 'content-type': 'text/html' })
    stream.end('<p>busy</p>')
  })
  const reply = await call((await started([{ addr }])).proxy.address)
  expect(withoutDate(reply.headers)).toEqual([':status: 503', 'content-type: text/html'])
  expect(String(reply.body)).toBe('<p>busy</p>')
})

it('the proxy reports a reply that ended without a status', async () => {
  const addr = await backend((stream) => {
    stream.respond(REPLY)
    stream.end(MESSAGE)
  })
  const reply = await call((await started([{ addr }])).proxy.address)
  expect(reply.body).toEqual(MESSAGE)
  expect(pairs(reply.trailers)).toEqual([
    'grpc-status: 2',
    `grpc-message: ${addr}: ended its reply without a status`,
  ])
})

it('the proxy answers a request that is not gRPC with 415', async () => {
  const addr = await backend(() => undefined)
  const reply = await call((await started([{ addr }])).proxy.address, { 'content-type': 'text/plain' })
  expect(pairs(reply.headers)).toContain(':status: 415')
})

async function backend(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) => void,
): Promise<string> {
  const server = createServer()
  server.on('stream', ((
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    raw: string[],
  ) => answer(stream, headers, raw)) as (stream: ServerHttp2Stream) => void)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  servers.push(server)
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function call(addr: string, more: Readonly<Record<string, string>> = {}) {
  const session = connect(`http://${addr}`)
  const stream = session.request({ ...REQUEST, ...more })
  stream.end(MESSAGE)
  const chunks: Buffer[] = []
  const reply: { headers: readonly string[]; trailers: readonly string[] } = { headers: [], trailers: [] }
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('response', ((_: unknown, __: number, raw: string[]) => {
    reply.headers = raw
  }) as () => void)
  stream.on('trailers', ((_: unknown, __: number, raw: string[]) => {
    reply.trailers = raw
  }) as () => void)
  await once(stream, 'close')
  session.close()
  return { ...reply, body: Buffer.concat(chunks) }
}

function pairs(raw: readonly string[]): string[] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${raw[at + 1]}`] : []))
}

/** The date header is added by the HTTP library of the backend. */
function withoutDate(raw: readonly string[]): string[] {
  return pairs(raw).filter((line) => !line.startsWith('date:'))
}

function flat(headers: Readonly<Record<string, string | number | readonly string[]>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'object' ? value.map((each) => `${name}: ${each}`) : [`${name}: ${value}`],
  )
}
