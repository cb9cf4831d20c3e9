import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { administered } from '../support/administered.js'
import { storedWeight } from '../support/etcd-state.js'

const TOKEN = 'open-sesame'

const admin = await administered()

describe('authorization', () => {
  test('with a token is required for all requests except health checks', async () => {
    await admin.begun.end()
    await admin.begin({ token: TOKEN })
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${TOKEN}`, TOKEN, 'Bearer']) {
      const headers = authorization === undefined ? {} : { authorization }
      for (const [method, path] of [
        ['GET', '/'],
        ['PUT', '/weight?weight=2'],
        ['POST', '/drain'],
        ['GET', '/metrics'],
        ['GET', '/nothing'],
      ] as const) {
        expect((await admin.ask(method, path, { headers })).status, `${authorization} ${path}`).toBe(401)
      }
    }
    expect((await admin.ask('GET', '/healthz')).status).toBe(200)
    expect(await storedWeight(admin.etcd, admin.key)).toBe(1)
    const headers = { authorization: `Bearer ${TOKEN}`, host: 'any.example', origin: 'https://any.example' }
    expect((await admin.ask('PUT', '/weight?weight=2', { headers })).status).toBe(200)
    expect(await storedWeight(admin.etcd, admin.key)).toBe(2)
  })

  const HERE = { host: '127.0.0.1:9001' }

  test.each<[Record<string, string>]>([
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ origin: 'http://127.0.0.1:9002' }],
    [{ origin: 'http://localhost:9001' }],
    [{ referer: 'https://evil.example/page' }],
    [{ referer: 'http://127.0.0.1:9002/page' }],
    [{ referer: 'about:blank' }],
    [{ referer: '' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }],
    [{ origin: 'http://127.0.0.1:9001', referer: 'https://evil.example/page' }],
    [{ host: 'evil.example' }],
    [{ host: 'evil.example:80', origin: 'http://evil.example:80' }],
  ])('without a token forbids writes by web pages of other origins: %j', async (headers) => {
    await admin.untouched(async () => {
      for (const [method, path] of [
        ['GET', '/?weight=5'],
        ['GET', '/weight?weight=5'],
        ['HEAD', '/?weight=5'],
        ['PUT', '/weight?weight=5'],
        ['POST', '/drain'],
      ] as const) {
        const answer = await admin.ask(method, path, { headers: { ...HERE, ...headers } })
        expect(answer.status, `${method} ${path}`).toBe(403)
      }
    })
    expect(await storedWeight(admin.etcd, admin.key)).toBe(1)
  })

  test.each<[Record<string, string>]>([
    [{}],
    [{ origin: 'http://127.0.0.1:9001' }],
    [{ referer: 'http://127.0.0.1:9001/' }],
    [{ 'sec-fetch-site': 'same-origin', referer: 'http://127.0.0.1:9001/weight' }],
  ])(
    'without a token allows writes by a page of the handler’s origin, and by clients that are not browsers: %j',
    async (headers) => {
      const answer = await admin.ask('GET', '/?weight=5', { headers: { ...HERE, ...headers } })
      expect(answer.status).toBe(200)
      expect(await storedWeight(admin.etcd, admin.key)).toBe(5)
    },
  )

  test('allows a URL typed into a browser to read, but not to write', async () => {
    const headers = { 'sec-fetch-site': 'none' }
    await admin.untouched(async () => {
      expect((await admin.ask('GET', '/weight', { headers })).status).toBe(200)
      const refused = await admin.ask('GET', '/weight?weight=5', { headers })
      expect(refused.status).toBe(403)
      expect(JSON.stringify(refused)).toContain('from a page of this origin only, not from its address bar')
    })
  })

  test.each([['localhost'], ['127.0.0.1:9001'], ['[::1]:9001']])('accepts %s as host name', async (host) => {
    expect((await admin.ask('GET', '/', { headers: { host } })).status).toBe(200)
  })
})

describe('paths and methods', () => {
  test.each([
    ['/weight/'],
    ['//weight'],
    ['/./weight'],
    ['/../weight'],
    ['/x/../weight'],
    ['/%77eight'],
    ['/weight%3Fweight=5'],
    ['/WEIGHT'],
    ['/__proto__'],
    ['/constructor'],
    ['http://127.0.0.1/weight?weight=5'],
    ['*'],
  ])('the path %s is not found', async (path) => {
    await admin.untouched(async () => {
      expect((await admin.ask('PUT', path)).status).toBe(404)
    })
  })

  test('a wrong method is answered with the allowed methods', async () => {
    await admin.untouched(async () => {
      expect(await admin.ask('DELETE', '/weight?weight=5')).toMatchObject({
        status: 405,
        headers: { allow: 'GET, PUT' },
      })
      expect((await admin.ask('POST', '/weight?weight=5')).status).toBe(405)
    })
  })
})

describe('a malformed request is refused and has no effect', () => {
  const HOST = 'Host: 127.0.0.1\r\n'

  test.each([
    ['no HTTP at all', ['\u0000\u0001\u0002 hello\r\n\r\n'], '400'],
    ['HTTP/2', ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], '400'],
    ['a TLS handshake', ['\u0016\u0003\u0001\u0000\u0001'], '400'],
    ['no Host', ['PUT /weight?weight=5 HTTP/1.1\r\n\r\n'], '400'],
    [
      'two lengths',
      [`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`],
      '400',
    ],
    [
      'a length and chunks',
      [
        `PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      '400',
    ],
    [
      'malformed chunks',
      [`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
      '400',
    ],
    ['huge headers', [`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`], '431'],
    ['a huge target', [`PUT /weight?weight=5&${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`], '431'],
    [
      'a large content-length',
      [`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Content-Length: 99999999\r\n\r\n`],
      '413',
    ],
    [
      'a large chunked body',
      [
        `PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n800\r\n${'x'.repeat(2048)}\r\n`,
      ],
      '413',
    ],
  ])('%s', async (_, pieces, status) => {
    await admin.untouched(async () => {
      expect(await raw(...pieces)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    })
  })

  test('if its headers or its body are slow, or its body is cut off', async () => {
    const put = `PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n`
    await admin.untouched(async () => {
      const drip = Array.from({ length: 80 }, (_, index) => [100, `X-${index}: y\r\n`]).flat()
      const [headers, body] = await Promise.all([
        raw(`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}`, ...drip),
        raw(`${put}abc`),
        cutShort(put),
      ])
      expect(headers).toMatch(/^HTTP\/1.1 408 /)
      expect(body).toMatch(/^(HTTP\/1.1 408 |$)/)
    })
  })

  test('if it is pipelined after another one', async () => {
    const put = (weight: number, more = '') => `PUT /weight?weight=${weight} HTTP/1.1\r\n${HOST}${more}\r\n`
    const answers = await raw(put(4) + put(9) + put(8))
    expect(answers.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    expect(answers).toMatch(/^HTTP\/1\.1 200 /)
    expect(answers).toContain('"to":4')
    // Node’s parser rejects bytes after a request with `connection: close`, sometimes before the answer is sent.
    const others = await raw(put(5, 'Connection: close\r\n') + put(9) + put(8))
    expect(others.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    expect([4, 5]).toContain(await storedWeight(admin.etcd, admin.key))
    expect((await admin.ask('GET', '/weight')).status).toBe(200)
  })

  test('if a parameter is in its body, which is ignored', async () => {
    expect((await admin.ask('PUT', '/weight?weight=4', { body: 'weight=9' })).status).toBe(200)
    expect(await storedWeight(admin.etcd, admin.key)).toBe(4)
  })
})

/**
 * Sends bytes on a plain socket, with pauses in milliseconds. Resolves with the answer once the server closes the
 * socket.
 */
async function raw(...pieces: readonly (string | number)[]): Promise<string> {
  const [host = '', port] = admin.begun.address.split(':')
  const socket = connect(Number(port), host)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  for (const piece of pieces) {
    if (typeof piece === 'number') await delay(piece)
    else socket.write(piece)
  }
  await closed
  return text
}

/** Sends a part of a request and disconnects. */
async function cutShort(part: string): Promise<void> {
  const [host = '', port] = admin.begun.address.split(':')
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  socket.write(`${part}ab`)
  await delay(50)
  socket.destroy()
}
