import { describe, expect, test } from 'vitest'
import { startAdmin } from '../../src/net/admin/server.js'
import { administered } from '../support/administered.js'
import { until } from '../support/disco.js'
import { leaseIds, revision, storedWeight } from '../support/etcd-state.js'
import { weightsOf } from '../support/recorded.js'
import { expectShape } from '../support/shape.js'

const admin = await administered()

describe('reading with the admin handler', () => {
  test('GET / returns the registration from etcd, and GET /weight its weight', async () => {
    const doc = JSON.parse((await admin.ask('GET', '/')).body)
    expectShape('registration', doc, { ...doc, endpoints: [{ ...doc.endpoints[0], id: 'x', lease: null }] })
    expect(doc).toMatchObject({
      schema: 'disco.registration/v1',
      phase: 'registered',
      endpoints: [
        {
          key: admin.key,
          service: 'hello',
          version: '1.0.0',
          addr: admin.addr,
          weight: 1,
          share: 0.5,
          lease: (await leaseIds(admin.etcd))[0],
          grantedTtlSeconds: 60,
          id: null,
          metadata: { zone: 'a' },
        },
      ],
    })
    const weights = JSON.parse((await admin.ask('GET', '/weight')).body)
    expectShape('own-weight', weights)
    expect(weights.endpoints).toEqual([{ key: admin.key, addr: admin.addr, weight: 1 }])
  })

  test('GET /healthz returns whether the server is registered; HEAD has no body', async () => {
    const answer = await admin.ask('GET', '/healthz')
    expect(answer.status).toBe(200)
    expectShape('own-health', JSON.parse(answer.body))
    expect(await admin.ask('HEAD', '/healthz')).toMatchObject({ status: 200, body: '' })
    expect(await admin.ask('GET', '/readyz')).toMatchObject({ status: 200, body: answer.body })
    expectShape('own-life', JSON.parse((await admin.ask('GET', '/livez')).body))
  })

  test('GET /metrics returns counts of the registrar’s events in Prometheus format', async () => {
    await admin.ask('PUT', '/weight?weight=6')
    await until(
      async () => (await admin.ask('GET', '/metrics')).body.includes('disco_changes_total 1'),
      () => 'the change to be counted',
    )
    const { body, headers } = await admin.ask('GET', '/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const labels = `{service="hello",version="1.0.0",addr="${admin.addr}"}`
    expect(body).toContain(`\ndisco_weight${labels} 6\n`)
    expect(body).toContain(`\ndisco_registered${labels} 1\n`)
    expect(body).toContain('\ndisco_phase{phase="registered"} 1\n')
    expect(body).toMatch(/\ndisco_admin_requests_total\{status="200"\} \d+\n/)
    const line = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[\d.e+-]+)$/
    for (const text of body.trimEnd().split('\n')) expect(text).toMatch(line)
  })
})

describe('changing the weight with the admin handler', () => {
  test.each([
    ['PUT', '/weight?weight=5', 5],
    ['GET', '/weight?weight=0', 0],
    ['GET', '/?weight=7', 7],
    ['PUT', `/weight?weight=9&addr=${admin.addr}`, 9],
  ])('%s %s sets weight %i under the same lease', async (method, path, wanted) => {
    const leases = await leaseIds(admin.etcd)
    const { status, body } = await admin.ask(method, path)
    expect(status, body).toBe(200)
    expectShape('own-weight-change', JSON.parse(body))
    expect(await storedWeight(admin.etcd, admin.key)).toBe(wanted)
    expect(await admin.etcd.ctl('lease', 'timetolive', leases[0] ?? '', '--keys')).toContain(admin.key)
  })

  test('100 concurrent changes all succeed, the last one determines the weight, and the lease is kept', async () => {
    const [lease = ''] = await leaseIds(admin.etcd)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => admin.ask('PUT', `/weight?weight=${index + 1}`)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const made = answers.map(({ body }) => {
      const { rev, changes } = JSON.parse(body) as { rev: string; changes: { to: number }[] }
      return { rev: Number(rev), to: changes[0]?.to }
    })
    expect(new Set(made.map(({ rev }) => rev)).size).toBe(100)
    const last = made.toSorted((a, b) => a.rev - b.rev).at(-1)
    expect(await storedWeight(admin.etcd, admin.key)).toBe(last?.to)
    expect(await revision(admin.etcd)).toBe(last?.rev)
    expect(await admin.etcd.ctl('lease', 'timetolive', lease, '--keys')).toContain(
      `attached keys([${admin.key}])`,
    )
  })

  test('a change that would drain the other endpoints is a conflict without force=true', async () => {
    await admin.putOther(0)
    const refused = await admin.ask('PUT', '/weight?weight=0')
    expect(refused.status).toBe(409)
    expect(refused.body).toContain('last weighted endpoint')
    expect(await storedWeight(admin.etcd, admin.key)).toBe(1)
    expect((await admin.ask('PUT', '/weight?weight=0&force=true')).status).toBe(200)
    expect(await storedWeight(admin.etcd, admin.key)).toBe(0)
  })

  test.each([
    ['PUT', '/weight', 400, 'weight is missing'],
    ['PUT', '/weight?weight=', 400, 'Invalid weight'],
    ['PUT', '/weight?weight=abc', 400, 'Invalid weight'],
    ['PUT', '/weight?weight=-1', 400, 'Invalid weight'],
    ['PUT', '/weight?weight=%2B2', 400, 'Invalid weight'],
    ['PUT', '/weight?weight=1.5', 400, 'Invalid weight'],
    ['PUT', '/weight?weight=99999999999', 400, 'Invalid weight'],
    ['PUT', '/weight?weight=2147483648', 400, 'too large'],
    ['PUT', '/weight?weight=1&weight=2', 400, 'more than once'],
    ['PUT', '/weight?wieght=1', 400, 'Unknown parameter wieght'],
    ['PUT', '/weight?weight=1&force=yes', 400, 'true or false'],
    ['PUT', '/weight?weight=1&addr=1.2.3.4:5', 404, 'is not registered by this registrar'],
    ['GET', '/?weight=%zz', 400, 'Invalid weight'],
  ])('%s %s is answered with status %i: %s', async (method, path, status, text) => {
    await admin.untouched(async () => {
      const answer = await admin.ask(method, path)
      expect(answer.status).toBe(status)
      expect(answer.body).toContain(text)
      expectShape('error', JSON.parse(answer.body))
    })
  })
})

describe('POST /drain', () => {
  test('sets weight 0, waits, deregisters and answers, and the registrar ends', async () => {
    const answer = await admin.ask('POST', '/drain')
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({ healthy: false })
    expect((await weightsOf(admin.etcd, admin.key)).slice(-3)).toEqual([1, 0, null])
    expect(await admin.begun.code).toBe(0)
    expect((await admin.ask('GET', '/healthz')).status).toBe(503)
    expect((await admin.ask('PUT', '/weight?weight=1')).status).toBe(409)
    expect(JSON.parse((await admin.ask('GET', '/')).body)).toMatchObject({ endpoints: [] })
  })

  test('is refused with another method', async () => {
    await admin.untouched(async () => {
      const answer = await admin.ask('GET', '/drain')
      expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    })
  })
})

test('without etcd the admin handler answers 503 with the reason, except to health checks and metrics', async () => {
  admin.etcd.pause()
  try {
    const [read, change] = await Promise.all([admin.ask('GET', '/'), admin.ask('PUT', '/weight?weight=5')])
    for (const answer of [read, change]) {
      expect(answer.status).toBe(503)
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'ETCD_UNREACHABLE' } })
    }
    expect((await admin.ask('GET', '/healthz')).status).toBe(200)
    expect((await admin.ask('GET', '/metrics')).status).toBe(200)
  } finally {
    admin.etcd.resume()
  }
})

test('a port that is in use is a conflict', async () => {
  const port = Number(admin.begun.address.split(':')[1])
  await expect(startAdmin({ host: '127.0.0.1', port }, () => undefined)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(`port ${port} at 127.0.0.1 is taken`) as string,
  })
})
