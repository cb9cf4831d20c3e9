import { ServerCredentials, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { combineRegistries } from '../../../src/registry/combined/combine.js'
import type { ClientAnswer } from '../../../src/xds/client-stream.js'
import type { ResourceType } from '../../../src/xds/resources.js'
import type { RegistryOutage } from '../../../src/xds/service-lists.js'
import { XdsServer, type XdsSettings } from '../../../src/xds/xds-server.js'
import { AdsClient, DeafClient, prioritiesIn, weightsIn } from '../../support/ads-client.js'
import { until } from '../../support/disco.js'
import { ScriptedDiscovery } from '../../support/scripted-discovery.js'

interface Started {
  readonly server: XdsServer
  readonly discovery: ScriptedDiscovery
  readonly answers: ClientAnswer[]
  readonly closed: (string | null)[]
  readonly unknown: string[]
  readonly outages: RegistryOutage[]
  client(): AdsClient
}

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** A control plane of the service `hello`, or of all. */
async function started(
  settings: Partial<XdsSettings> = {},
  service: string | null = 'hello',
): Promise<Started> {
  const discovery = new ScriptedDiscovery()
  const answers: ClientAnswer[] = []
  const closed: (string | null)[] = []
  const unknown: string[] = []
  const outages: RegistryOutage[] = []
  const server = await XdsServer.start({
    sources: [{ discovery, query: { service: service ?? '' }, service }],
    listen: { host: '127.0.0.1', port: 0 },
    credentials: ServerCredentials.createInsecure(),
    canary: null,
    instance: 'test',
    answerMs: 60_000,
    random: () => 0,
    observer: {
      opened: () => undefined,
      subscribedUnknown: (_, names) => unknown.push(...names),
      responded: () => undefined,
      answered: (_, answer) => answers.push(answer),
      closed: (_, reason) => closed.push(reason),
      outage: (outage) => outages.push(outage),
    },
    ...settings,
  })
  stops.push(() => server.close())
  const client = () => {
    const made = new AdsClient(server.address)
    stops.push(() => made[Symbol.dispose]())
    return made
  }
  return { server, discovery, answers, closed, unknown, outages, client }
}

const A = '10.0.0.1:1001'
const B = '10.0.0.2:1001'

describe('the xDS control plane', () => {
  it('serves all types of resources, and combines many changes into few responses', async () => {
    const { discovery, client, answers } = await started()
    discovery.list({ addr: A, weight: 1 }, { addr: B, weight: 3 })
    const one = client()
    for (const type of ['LDS', 'RDS', 'CDS'] as const satisfies ResourceType[]) {
      one.ask(type, 'hello')
      expect((await one.response(type, 0)).resources).toHaveLength(1)
    }
    one.ask('EDS', 'hello')
    const first = await one.response('EDS', 0)
    expect(weightsIn(first)).toEqual({ hello: { [A]: 1, [B]: 3 } })
    one.isAccepting = true
    one.answer(first, ['hello'])
    for (let weight = 4; weight <= 200; weight++) discovery.put({ addr: B, weight })
    await until(
      () => weightsIn(one.of('EDS').at(-1) ?? first).hello?.[B] === 200,
      () => 'the last weight',
    )
    expect(one.of('EDS').length).toBeLessThan(20)
    const nonces = one.responses.map(({ nonce }) => nonce)
    expect(new Set(nonces).size).toBe(nonces.length)
    const versions = one.of('EDS').map(({ versionInfo }) => versionInfo)
    expect(new Set(versions).size).toBe(versions.length)
    await until(
      () => answers.length === versions.length,
      () => 'all answers',
    )
    expect(answers.every(({ rejection, type }) => rejection === null && type === 'EDS')).toBe(true)
  })

  it('sends nothing before a response is answered, and then the last state', async () => {
    const { discovery, client } = await started()
    discovery.list({ addr: A, weight: 1 })
    const one = client()
    one.ask('EDS', 'hello')
    const first = await one.response('EDS', 0)
    discovery.put({ addr: A, weight: 2 })
    discovery.put({ addr: B, weight: 3 })
    // Another client gets the last state meanwhile, so the server has it.
    const another = client()
    another.isAccepting = true
    another.ask('EDS', 'hello')
    await until(
      () => another.of('EDS').some((response) => weightsIn(response).hello?.[B] === 3),
      () => 'the last state at another client',
    )
    expect(one.of('EDS')).toHaveLength(1)
    one.answer({ ...first, nonce: 'other' }, ['hello', 'more'])
    one.answer(first, ['hello'])
    expect(weightsIn(await one.response('EDS', 1))).toEqual({ hello: { [A]: 2, [B]: 3 } })
  })

  it('reports why a client rejects a response, and does not resend it', async () => {
    const { discovery, client, answers } = await started()
    discovery.list({ addr: A, weight: 1 })
    const one = client()
    one.ask('EDS', 'hello')
    const first = await one.response('EDS', 0)
    one.answer(first, ['hello'], 'not to my taste')
    await until(
      () => answers.length === 1,
      () => 'the answer',
    )
    expect(answers).toEqual([{ type: 'EDS', version: first.versionInfo, rejection: 'not to my taste' }])
    one.ask('CDS', 'hello')
    await one.response('CDS', 0)
    expect(one.of('EDS')).toHaveLength(1)
    discovery.put({ addr: A, weight: 2 })
    expect((await one.response('EDS', 1)).versionInfo).not.toBe(first.versionInfo)
  })

  it('responds to an unknown name with an empty assignment, and reports it', async () => {
    const { discovery, client, unknown } = await started({}, null)
    discovery.list({ addr: A })
    const one = client()
    one.isAccepting = true
    one.ask('EDS', 'nobody', 'hello')
    expect(weightsIn(await one.response('EDS', 0))).toEqual({ nobody: {}, hello: { [A]: 1 } })
    expect(unknown).toEqual(['nobody'])
    discovery.put({ service: 'nobody', addr: B, weight: 7 })
    expect(weightsIn(await one.response('EDS', 1))).toEqual({ nobody: { [B]: 7 } })
    discovery.delete({ service: 'nobody', addr: B })
    expect(weightsIn(await one.response('EDS', 2))).toEqual({ nobody: {} })
  })

  it('waits for the first list instead of serving an empty one, and keeps the last list during an outage', async () => {
    const { server, discovery, client, outages } = await started()
    const one = client()
    one.isAccepting = true
    discovery.lose()
    one.ask('LDS', 'hello')
    one.ask('EDS', 'hello')
    await one.response('LDS', 0)
    expect(server.problem).toBe('no endpoints are known yet of hello')
    discovery.list({ addr: A, weight: 2 })
    expect(weightsIn(await one.response('EDS', 0))).toEqual({ hello: { [A]: 2 } })
    expect(server.problem).toBeNull()
    discovery.lose()
    await until(
      () => server.outages.size === 1,
      () => 'the outage',
    )
    const other = client()
    other.ask('EDS', 'hello')
    expect(weightsIn(await other.response('EDS', 0))).toEqual({ hello: { [A]: 2 } })
    discovery.list({ addr: A, weight: 2 })
    await until(
      () => server.outages.size === 0,
      () => 'the end of the outage',
    )
    expect(outages.map(({ cause, served }) => [cause?.message ?? null, served])).toEqual([
      ['etcd is not reachable', 'nothing'],
      [null, 'last'],
      ['etcd is not reachable', 'last'],
      [null, 'last'],
    ])
    expect(one.of('EDS')).toHaveLength(1)
  })

  it('serves the other registries while one of several is away, and reports it', async () => {
    const [dc1, dc2] = [new ScriptedDiscovery(), new ScriptedDiscovery()]
    const discovery = combineRegistries({ dc1, dc2 }, { random: () => 0 })
    const { server, client, outages } = await started({
      sources: [{ discovery, query: { service: 'hello' }, service: 'hello' }],
    })
    const one = client()
    one.isAccepting = true
    one.ask('EDS', 'hello')
    dc1.lose()
    dc2.list({ addr: B, weight: 2 })
    expect(weightsIn(await one.response('EDS', 0))).toEqual({ hello: { [B]: 2 } })
    expect(server.problem).toBeNull()
    expect([...server.outages.keys()]).toEqual(['dc1'])
    dc1.list({ addr: A, weight: 3 })
    expect(prioritiesIn(await one.response('EDS', 1))).toEqual({ [A]: 0, [B]: 1 })
    expect(server.outages.size).toBe(0)
    dc2.lose()
    dc1.put({ addr: A, weight: 4 })
    expect(weightsIn(await one.response('EDS', 2))).toEqual({ hello: { [A]: 4, [B]: 2 } })
    expect(outages.map(({ registry, cause, served }) => [registry, cause?.message ?? null, served])).toEqual([
      ['dc1', 'etcd is not reachable', 'nothing'],
      ['dc1', null, 'last'],
      ['dc2', 'etcd is not reachable', 'last'],
    ])
  })

  it('sends all services to a client that requests no names, with a response for new services but not for new weights', async () => {
    const { discovery, client } = await started({}, null)
    discovery.list({ addr: A }, { service: 'carts', addr: B })
    const one = client()
    one.isAccepting = true
    one.ask('CDS')
    expect((await one.response('CDS', 0)).resources).toHaveLength(2)
    discovery.put({ addr: A, weight: 5 })
    discovery.put({ service: 'users', addr: B })
    expect((await one.response('CDS', 1)).resources).toHaveLength(3)
    discovery.delete({ service: 'carts', addr: B })
    expect((await one.response('CDS', 2)).resources).toHaveLength(2)
  })

  it('sends many assignments in several responses, each below the size limit of clients', async () => {
    const { discovery, client } = await started({}, null)
    const services = Array.from({ length: 50 }, (_, at) => `service-${at}`)
    discovery.list(
      ...services.flatMap((service, one) =>
        Array.from({ length: 1_000 }, (_, at) => ({
          service,
          addr: `10.${one}.${at >> 8}.${at & 255}:1001`,
        })),
      ),
    )
    const one = client()
    one.isAccepting = true
    one.ask('EDS', ...services)
    const count = () => one.of('EDS').reduce((sum, { resources }) => sum + resources.length, 0)
    await until(
      () => count() >= 50,
      () => `50 assignments, have ${count()}`,
    )
    expect(count()).toBe(50)
    expect(one.of('EDS').length).toBeGreaterThan(1)
    expect(one.end).toBeNull()
  })
})

describe('a host name', () => {
  it('is resolved before the service is served, and resolved again later', async () => {
    let answer: (ips: readonly string[]) => void = () => undefined
    const lookup = () =>
      new Promise<readonly string[]>((resolve) => {
        answer = resolve
      })
    const { discovery, client, server } = await started({ lookup })
    discovery.list({ addr: 'web:1001', weight: 3 })
    const one = client()
    one.isAccepting = true
    one.ask('EDS', 'hello')
    one.ask('CDS', 'hello')
    await one.response('CDS', 0)
    expect(one.of('EDS')).toHaveLength(0)
    await until(
      () => server.problem === null,
      () => 'the list',
    )
    answer(['10.0.0.2', '10.0.0.1'])
    expect(weightsIn(await one.response('EDS', 0))).toEqual({ hello: { 'web:1001': 3 } })
  })

  it('that cannot be resolved excludes its endpoint, but not the list', async () => {
    const lookup = () => Promise.reject(new Error('ENOTFOUND'))
    const { discovery, client } = await started({ lookup })
    discovery.list({ addr: 'web:1001' }, { addr: A })
    const one = client()
    one.ask('EDS', 'hello')
    expect(weightsIn(await one.response('EDS', 0))).toEqual({ hello: { [A]: 1 } })
  })
})

describe('a client', () => {
  it('that requests too many names is disconnected with the reason, and the others are still served', async () => {
    const { discovery, client } = await started()
    discovery.list({ addr: A })
    const greedy = client()
    greedy.ask('LDS', ...Array.from({ length: 100_000 }, (_, at) => `name-${at}`))
    expect(await greedy.ended()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'LDS: 100000 names; a stream may have 10000',
    })
    const wordy = client()
    wordy.ask('EDS', 'x'.repeat(600_000))
    expect(await wordy.ended()).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
    const one = client()
    one.ask('EDS', 'hello')
    await one.response('EDS', 0)
  })

  it('that does not answer is disconnected with the reason', async () => {
    const { discovery, client, server, closed } = await started({ answerMs: 300 })
    discovery.list({ addr: A })
    const mute = client()
    mute.ask('EDS', 'hello')
    await mute.response('EDS', 0)
    expect(await mute.ended()).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: 'no ACK or NACK of the last EDS response within 0.3s',
    })
    expect(server.streams.size).toBe(0)
    expect(closed).toEqual(['no ACK or NACK of the last EDS response within 0.3s'])
  })

  it('that does not read is disconnected, so that no data is buffered for it', async () => {
    const { discovery, server } = await started({ answerMs: 300 })
    const endpoints = Array.from({ length: 5_000 }, (_, at) => ({ addr: `10.0.${at >> 8}.${at & 255}:1001` }))
    discovery.list(...endpoints)
    using deaf = new DeafClient(server.address)
    deaf.ask('EDS', 'hello')
    await until(
      () => server.connections === 1,
      () => 'the connection',
    )
    await until(
      () => server.connections === 0 && server.streams.size === 0,
      () => 'the connection to be closed',
    )
  })

  it('that does not read and guesses nonces is disconnected as well', async () => {
    const { discovery, server } = await started({ answerMs: 2_000 })
    const endpoints = Array.from({ length: 5_000 }, (_, at) => ({ addr: `10.0.${at >> 8}.${at & 255}:1001` }))
    discovery.list(...endpoints)
    using deaf = new DeafClient(server.address)
    deaf.ask('EDS', 'hello')
    await until(
      () => server.connections === 1,
      () => 'the connection',
    )
    let weight = 1
    const guessing = setInterval(() => {
      discovery.put({ addr: '10.0.0.1:1001', weight: ++weight })
      for (let nonce = 1; nonce <= 500; nonce++) deaf.guess('EDS', String(nonce), 'hello')
    }, 100)
    stops.push(() => clearInterval(guessing))
    await until(
      () => server.connections === 0 && server.streams.size === 0,
      () => 'the connection to be closed',
    )
  })

  it('that disconnects during an update has its stream closed without an error', async () => {
    const { discovery, client, server, closed } = await started()
    const endpoints = Array.from({ length: 5_000 }, (_, at) => ({ addr: `10.0.${at >> 8}.${at & 255}:1001` }))
    discovery.list(...endpoints)
    for (let round = 0; round < 5; round++) {
      const leaver = client()
      leaver.ask('EDS', 'hello')
      await until(
        () => server.streams.size === 1,
        () => 'the stream',
      )
      leaver[Symbol.dispose]()
      discovery.put({ addr: A, weight: round + 2 })
      await until(
        () => server.streams.size === 0,
        () => 'the stream to be gone',
      )
    }
    expect(closed).toEqual([null, null, null, null, null])
    const one = client()
    one.isAccepting = true
    one.ask('EDS', 'hello')
    const first = await one.response('EDS', 0)
    await until(
      () => weightsIn(one.of('EDS').at(-1) ?? first).hello?.[A] === 6,
      () => 'the last weight',
    )
  })
})
