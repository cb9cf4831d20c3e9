import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AdminOptions, adminHandler } from '../../src/agent/admin/handler.js'
import { type AdminServer, startAdmin } from '../../src/agent/admin/server.js'
import { Registrar } from '../../src/agent/registrar.js'
import type { Registry } from '../../src/registry/registry.js'
import { until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { leaseIds, revision, storedText, wipe } from '../support/etcd-state.js'
import { weightsOf } from '../support/recorded.js'
import { openRegistry } from '../support/registry.js'
import { expectShape } from '../support/shape.js'

const ADDR = '127.0.0.1:1001'
const KEY = `/hello/1.0.0/${ADDR}`
const OTHER_KEY = '/hello/1.0.0/127.0.0.1:1002'
const TOKEN = 'open-sesame'

let etcd: RealEtcd
let registry: Registry
let registrar: Registrar
let running: Promise<number>
let admin: AdminServer

beforeAll(async () => {
  etcd = await RealEtcd.start()
})
afterAll(() => etcd.stop())
beforeEach(async () => {
  registry = await openRegistry([etcd.endpoint])
  await etcd.ctl('put', OTHER_KEY, '{"name":"hello","addr":"127.0.0.1:1002","version":"1.0.0","weight":1}')
  await begin({})
})
afterEach(async () => {
  await end()
  registry.close()
  await wipe(etcd)
})

async function begin(options: Partial<AdminOptions>): Promise<void> {
  const registered = { service: 'hello', version: '1.0.0', addr: ADDR, weight: 1, metadata: { zone: 'a' } }
  const request = { registered, ttlSeconds: 60 }
  registrar = new Registrar({ registry, request, drainMs: 0, killAfterMs: 0 })
  const held = once(registrar, 'registered')
  const handler = adminHandler({ registry, registrar, token: null, drainMs: 200, ...options })
  admin = await startAdmin({ host: '127.0.0.1', port: 0 }, handler)
  running = registrar.run()
  await held
}

async function end(): Promise<void> {
  registrar.stop()
  await running.catch(() => undefined)
  await admin[Symbol.asyncDispose]()
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The path goes out as it is: no client tidies it up. */
function ask(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const [host, port] = admin.address.split(':')
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Bytes on a bare socket, and what comes back until the server closes it. */
async function raw(...pieces: readonly (string | number)[]): Promise<string> {
  const [host = '', port] = admin.address.split(':')
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

async function weight(): Promise<number> {
  return (JSON.parse(await storedText(etcd, KEY)) as { weight: number }).weight
}

/** What must not have touched the registration. */
async function untouched(attempt: () => Promise<unknown>): Promise<void> {
  const before = await revision(etcd)
  await attempt()
  expect(await revision(etcd)).toBe(before)
  expect((await ask('GET', '/')).status).toBe(200)
}

describe('reading', () => {
  test('GET / is the registration as etcd has it, GET /weight its weight', async () => {
    const doc = JSON.parse((await ask('GET', '/')).body)
    expectShape('registration', doc, { ...doc, endpoints: [{ ...doc.endpoints[0], id: 'x', lease: null }] })
    expect(doc).toMatchObject({
      ...{ schema: 'disco.registration/v1', phase: 'registered' },
      endpoints: [
        {
          ...{ key: KEY, service: 'hello', version: '1.0.0', addr: ADDR, weight: 1, share: 0.5 },
          ...{ lease: (await leaseIds(etcd))[0], grantedTtlSeconds: 60, id: null, metadata: { zone: 'a' } },
        },
      ],
    })
    const weights = JSON.parse((await ask('GET', '/weight')).body)
    expectShape('own-weight', weights)
    expect(weights.endpoints).toEqual([{ key: KEY, addr: ADDR, weight: 1 }])
  })

  test('GET /healthz says whether it is registered, HEAD does without the words', async () => {
    const answer = await ask('GET', '/healthz')
    expect(answer.status).toBe(200)
    expectShape('own-health', JSON.parse(answer.body))
    expect(await ask('HEAD', '/healthz')).toMatchObject({ status: 200, body: '' })
  })

  test('GET /metrics is Prometheus text that tells what went on', async () => {
    await ask('PUT', '/weight?weight=6')
    await until(
      async () => (await ask('GET', '/metrics')).body.includes('disco_changes_total 1'),
      () => 'the change to be counted',
    )
    const { body, headers } = await ask('GET', '/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const labels = `{service="hello",version="1.0.0",addr="${ADDR}"}`
    expect(body).toContain(`\ndisco_weight${labels} 6\n`)
    expect(body).toContain(`\ndisco_registered${labels} 1\n`)
    expect(body).toContain('\ndisco_phase{phase="registered"} 1\n')
    expect(body).toMatch(/\ndisco_admin_requests_total\{status="200"\} \d+\n/)
    const line = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[\d.e+-]+)$/
    for (const said of body.trimEnd().split('\n')) expect(said).toMatch(line)
  })
})

describe('changing the weight', () => {
  test.each([
    ['PUT', '/weight?weight=5', 5],
    ['GET', '/weight?weight=0', 0],
    ['GET', '/?weight=7', 7],
    ['PUT', `/weight?weight=9&addr=${ADDR}`, 9],
  ])('%s %s makes it %i, under the same lease', async (method, path, wanted) => {
    const leases = await leaseIds(etcd)
    const { status, body } = await ask(method, path)
    expect(status, body).toBe(200)
    expectShape('own-weight-change', JSON.parse(body))
    expect(await weight()).toBe(wanted)
    expect(await etcd.ctl('lease', 'timetolive', leases[0] ?? '', '--keys')).toContain(KEY)
  })

  test('100 at once: all are made, the last one wins, none takes the key off its lease', async () => {
    const [lease = ''] = await leaseIds(etcd)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => ask('PUT', `/weight?weight=${index + 1}`)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const made = answers.map(({ body }) => {
      const { rev, changes } = JSON.parse(body) as { rev: string; changes: { to: number }[] }
      return { rev: Number(rev), to: changes[0]?.to }
    })
    expect(new Set(made.map(({ rev }) => rev)).size).toBe(100)
    const last = made.toSorted((a, b) => a.rev - b.rev).at(-1)
    expect(await weight()).toBe(last?.to)
    expect(await revision(etcd)).toBe(last?.rev)
    expect(await etcd.ctl('lease', 'timetolive', lease, '--keys')).toContain(`attached keys([${KEY}])`)
  })

  test('what would upset the others is a conflict, done with force=true', async () => {
    await etcd.ctl('put', OTHER_KEY, '{"name":"hello","addr":"127.0.0.1:1002","version":"1.0.0","weight":0}')
    const refused = await ask('PUT', '/weight?weight=0')
    expect(refused.status).toBe(409)
    expect(refused.body).toContain('last weighted endpoint')
    expect(await weight()).toBe(1)
    expect((await ask('PUT', '/weight?weight=0&force=true')).status).toBe(200)
    expect(await weight()).toBe(0)
  })

  test.each([
    ['PUT', '/weight', 400, 'weight is missing'],
    ['PUT', '/weight?weight=', 400, 'is not a weight'],
    ['PUT', '/weight?weight=abc', 400, 'is not a weight'],
    ['PUT', '/weight?weight=-1', 400, 'is not a weight'],
    ['PUT', '/weight?weight=%2B2', 400, 'is not a weight'],
    ['PUT', '/weight?weight=1.5', 400, 'is not a weight'],
    ['PUT', '/weight?weight=99999999999', 400, 'is not a weight'],
    ['PUT', '/weight?weight=2147483648', 400, 'too large'],
    ['PUT', '/weight?weight=1&weight=2', 400, 'more than once'],
    ['PUT', '/weight?wieght=1', 400, 'There is no parameter wieght'],
    ['PUT', '/weight?weight=1&force=yes', 400, 'true or false'],
    ['PUT', '/weight?weight=1&addr=1.2.3.4:5', 404, 'none of the addresses'],
    ['GET', '/?weight=%zz', 400, 'is not a weight'],
  ])('%s %s is %i: %s', async (method, path, status, said) => {
    await untouched(async () => {
      const answer = await ask(method, path)
      expect(answer.status).toBe(status)
      expect(answer.body).toContain(said)
      expectShape('error', JSON.parse(answer.body))
    })
  })
})

describe('POST /drain', () => {
  test('weight 0, a while, deregistered: it answers when that is done, and the registrar has nothing left to do', async () => {
    const answer = await ask('POST', '/drain')
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({ healthy: false })
    expect((await weightsOf(etcd, KEY)).slice(-3)).toEqual([1, 0, null])
    expect(await running).toBe(0)
    expect((await ask('GET', '/healthz')).status).toBe(503)
    expect((await ask('PUT', '/weight?weight=1')).status).toBe(409)
    expect(JSON.parse((await ask('GET', '/')).body)).toMatchObject({ endpoints: [] })
  })

  test('only by POST', async () => {
    await untouched(async () => {
      const answer = await ask('GET', '/drain')
      expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    })
  })
})

describe('who may ask', () => {
  test('with a token, only who brings it; an orchestrator may ask for the health', async () => {
    await end()
    await begin({ token: TOKEN })
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${TOKEN}`, TOKEN, 'Bearer']) {
      const headers = authorization === undefined ? {} : { authorization }
      for (const [method, path] of [
        ['GET', '/'],
        ['PUT', '/weight?weight=2'],
        ['POST', '/drain'],
        ['GET', '/metrics'],
        ['GET', '/nothing'],
      ] as const) {
        expect((await ask(method, path, { headers })).status, `${authorization} ${path}`).toBe(401)
      }
    }
    expect((await ask('GET', '/healthz')).status).toBe(200)
    expect(await weight()).toBe(1)
    const headers = { authorization: `Bearer ${TOKEN}`, host: 'any.example', origin: 'https://any.example' }
    expect((await ask('PUT', '/weight?weight=2', { headers })).status).toBe(200)
    expect(await weight()).toBe(2)
  })

  test.each([
    [{ origin: 'https://evil.example' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ host: 'evil.example' }],
    [{ host: 'evil.example:80' }],
  ])('without one, no web page in a browser on this machine: %j', async (headers) => {
    await untouched(async () => {
      expect((await ask('GET', '/?weight=5', { headers })).status).toBe(403)
    })
  })

  test.each([['localhost'], ['127.0.0.1:9001'], ['[::1]:9001']])('but %s is this machine', async (host) => {
    expect((await ask('GET', '/', { headers: { host } })).status).toBe(200)
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
  ])('%s is not there', async (path) => {
    await untouched(async () => {
      expect((await ask('PUT', path)).status).toBe(404)
    })
  })

  test('a method that a path does not take is told which it does', async () => {
    await untouched(async () => {
      expect(await ask('DELETE', '/weight?weight=5')).toMatchObject({
        status: 405,
        headers: { allow: 'GET, PUT' },
      })
      expect((await ask('POST', '/weight?weight=5')).status).toBe(405)
    })
  })
})

describe('what is no request is refused, and the registration untouched', () => {
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
      'chunks that are none',
      [`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
      '400',
    ],
    ['huge headers', [`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`], '431'],
    ['a huge target', [`PUT /weight?weight=5&${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`], '431'],
    [
      'a body that says it is large',
      [`PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Content-Length: 99999999\r\n\r\n`],
      '413',
    ],
    [
      'a body that turns out large',
      [
        `PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n800\r\n${'x'.repeat(2048)}\r\n`,
      ],
      '413',
    ],
  ])('%s', async (_, pieces, status) => {
    await untouched(async () => {
      expect(await raw(...pieces)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    })
  })

  test('slow headers, a slow body and a cut one: given up on, without effect', async () => {
    const put = `PUT /weight?weight=5 HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n`
    await untouched(async () => {
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

  test('a body within the limit is read, and ignored', async () => {
    expect((await ask('PUT', '/weight?weight=4', { body: 'weight=9' })).status).toBe(200)
    expect(await weight()).toBe(4)
  })
})

/** Sends a part of a request, and is gone. */
async function cutShort(part: string): Promise<void> {
  const [host = '', port] = admin.address.split(':')
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  socket.write(`${part}ab`)
  await delay(50)
  socket.destroy()
}

test('etcd away: 503 with the reason for what needs it; the health is the server’s own', async () => {
  etcd.pause()
  try {
    const [read, change] = await Promise.all([ask('GET', '/'), ask('PUT', '/weight?weight=5')])
    for (const answer of [read, change]) {
      expect(answer.status).toBe(503)
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'ETCD_UNREACHABLE' } })
    }
    expect((await ask('GET', '/healthz')).status).toBe(200)
    expect((await ask('GET', '/metrics')).status).toBe(200)
  } finally {
    etcd.resume()
  }
})

test('a port that is taken is a conflict', async () => {
  const port = Number(admin.address.split(':')[1])
  await expect(startAdmin({ host: '127.0.0.1', port }, () => undefined)).rejects.toMatchObject({
    ...{ code: 'CONFLICT', message: expect.stringContaining(`port ${port} at 127.0.0.1 is taken`) as string },
  })
})
