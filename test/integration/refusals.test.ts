import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { beforeEach, describe, expect, test } from 'vitest'
import { setHashKey, setPin } from '../../src/grpc/balancer/picker.js'
import { channelOptions } from '../../src/grpc/channel-options.js'
import type { Backend } from '../support/backend.js'
import { backendPair } from '../support/backend-pair.js'
import { Caller } from '../support/caller.js'
import { until } from '../support/disco.js'
import { errorOf } from '../support/errors.js'
import { freePorts } from '../support/ports.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

const TARGET = 'etcd:///hello'

const [a, b] = await backendPair()
let discovery: ScriptedDiscovery

beforeEach(() => {
  discovery = ScriptedDiscovery.installed()
  discovery.list({ addr: a.addr, id: 'a' }, { addr: b.addr, id: 'b' })
})

const OURS = 'disco_weighted_round_robin, disco_round_robin, disco_random, disco_weighted_random'

describe('an unknown policy', () => {
  test('in channelOptions is an error that lists the policies', () => {
    const error = errorOf(() => channelOptions({ policy: 'wwrr' }))
    expect(error).toMatchObject({ code: 'USAGE', message: 'Unknown LB policy "wwrr"' })
    expect(error.suggestions.join()).toContain('weighted_round_robin (wrr), round_robin (rr)')
  })

  test.each([
    [[{ disco_wrr: {} }], 'Unknown LB policy in the service config: "disco_wrr"'],
    [[{ a: {} }, { b: {} }], 'Unknown LB policy in the service config: "a", "b"'],
    [[], 'The service config lists no LB policy'],
    [[{ outlier_detection: { child_policy: [{ disco_wrr: {} }] } }], 'outlier_detection'],
    [[{ outlier_detection: { interval: 'soon', child_policy: [] } }], 'outlier_detection'],
  ])('in a service config prevents the creation of the channel: %j', (loadBalancingConfig, message) => {
    const options = { 'grpc.service_config': JSON.stringify({ loadBalancingConfig }) }
    const make = () => new Client(TARGET, credentials.createInsecure(), options).close()
    const error = errorOf(make)
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain(message)
    expect(error.suggestions.join()).toContain(`LB policies: ${OURS}`)
    expect(errorOf(() => channelOptions({ serviceConfig: { loadBalancingConfig } })).code).toBe('USAGE')
  })

  test('beside a known policy is ignored, as in gRPC', async () => {
    const loadBalancingConfig = [{ xds_something: {} }, { disco_round_robin: {} }]
    using caller = new Caller(TARGET, { serviceConfig: { loadBalancingConfig } })
    await caller.untilRotation(a.addr, b.addr)
    expect(await caller.count(4)).toEqual({ [a.addr]: 2, [b.addr]: 2 })
  })
})

describe('invalid parameters', () => {
  const BAD = { loadBalancingConfig: [{ disco_least_request: { choiceCount: 1 } }] }
  const WHY = 'LB policy least_request: choiceCount is 1, expected an integer from 2 to 10'

  test('are an error when the channel is created', () => {
    expect(errorOf(() => channelOptions({ policy: 'lr', parameters: { choiceCount: 1 } })).message).toBe(WHY)
    expect(errorOf(() => channelOptions({ serviceConfig: BAD })).message).toBe(WHY)
    const options = { 'grpc.service_config': JSON.stringify(BAD) }
    expect(errorOf(() => new Client(TARGET, credentials.createInsecure(), options)).message).toBe(WHY)
  })

  test('are an error inside outlier_detection as well', () => {
    const nested = [{ outlier_detection: { child_policy: BAD.loadBalancingConfig } }]
    expect(errorOf(() => channelOptions({ serviceConfig: { loadBalancingConfig: nested } })).message).toBe(
      WHY,
    )
  })

  test('make every call fail with the reason on a target with another resolver', async () => {
    using caller = new Caller(`dns:///${a.addr}`, {}, { 'grpc.service_config': JSON.stringify(BAD) })
    await expect(caller.call()).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: `${WHY}. Parameters: choiceCount`,
    })
  })
})

describe('a service config without policies', () => {
  test('is completed with weighted_round_robin', async () => {
    discovery.list({ addr: a.addr, weight: 1 }, { addr: b.addr, weight: 3 })
    const client = new Caller(TARGET, {}, { 'grpc.service_config': undefined } as never)
    await client.untilRotation(a.addr, b.addr)
    expect(await client.count(40)).toEqual({ [a.addr]: 10, [b.addr]: 30 })
    client.close()
  })
})

describe('pinned', () => {
  test('sends calls to the endpoint with its id, key or address, which each call can override', async () => {
    using caller = new Caller(TARGET, { policy: 'pinned', parameters: { to: 'b' } })
    await caller.untilRotation(a.addr, b.addr)
    expect(await caller.count(5)).toEqual({ [b.addr]: 5 })
    for (const name of ['a', a.addr, `/hello/1.0.0/${a.addr}`]) {
      expect(await caller.call(setPin(new Metadata(), name))).toBe(a.addr)
    }
  })

  test('without a fallback fails calls with the reason while the pinned endpoint is unavailable', async () => {
    const [refusing] = await freePorts(1)
    const dead = `127.0.0.1:${refusing}`
    discovery.list({ addr: a.addr, weight: 1 }, { addr: b.addr, id: 'b', weight: 0 }, { addr: dead })
    using caller = new Caller(TARGET, { policy: 'pinned', parameters: { to: 'nobody' } })
    await caller.untilRotation(a.addr)
    const details = (metadata?: Metadata) =>
      caller.call(metadata).then(
        () => 'answered',
        (error: { code: number; details: string }) => `${error.code} ${error.details}`,
      )
    expect(await details()).toBe('14 The pinned endpoint nobody is not in the list')
    expect(await details(setPin(new Metadata(), 'b'))).toBe('14 The pinned endpoint b is drained (weight 0)')
    const why = await details(setPin(new Metadata(), dead))
    expect(why).toContain(`14 The pinned endpoint ${dead} is not READY: `)
    expect(why).toContain('ECONNREFUSED')
  })

  test('without a fallback lets calls wait for a connecting endpoint, or with waitForReady', async () => {
    discovery.list({ addr: a.addr })
    using caller = new Caller(TARGET, { policy: 'pinned', parameters: { to: 'b' } })
    await caller.untilRotation(a.addr)
    const patient = new Metadata({ waitForReady: true })
    const waiting = caller.call(patient)
    await expect(caller.call()).rejects.toMatchObject({ code: status.UNAVAILABLE })
    discovery.put({ addr: b.addr, id: 'b' })
    expect(await waiting).toBe(b.addr)
  })

  test('with a fallback uses other endpoints while the pinned one is missing, and returns to it', async () => {
    const parameters = { to: 'b', fallback: { round_robin: {} } }
    using caller = new Caller(TARGET, { policy: 'pinned', parameters })
    await caller.untilRotation(a.addr, b.addr)
    expect(await caller.count(4)).toEqual({ [b.addr]: 4 })
    discovery.list({ addr: a.addr })
    await caller.untilRotation(a.addr)
    expect(await caller.count(4)).toEqual({ [a.addr]: 4 })
    discovery.put({ addr: b.addr, id: 'b' })
    await caller.untilRotation(a.addr, b.addr)
    expect(await caller.count(4)).toEqual({ [b.addr]: 4 })
  })

  test('follows an id that moves to another endpoint', async () => {
    using caller = new Caller(TARGET, {
      policy: 'pinned',
      parameters: { to: 'leader', fallback: { rr: {} } },
    })
    await caller.untilRotation(a.addr, b.addr)
    const untilAllGoTo = ({ addr }: Backend) =>
      until(
        async () => (await caller.count(4))[addr] === 4,
        () => `all calls to go to ${addr}`,
      )
    discovery.put({ addr: a.addr, id: 'leader', weight: 2 })
    await untilAllGoTo(a)
    discovery.list({ addr: a.addr, id: 'a' }, { addr: b.addr, id: 'leader' })
    await untilAllGoTo(b)
  })
})

describe('keys in the metadata of a call', () => {
  test('are not sent to the server', async () => {
    using caller = new Caller(TARGET, { policy: 'pinned', parameters: { fallback: { ring_hash: {} } } })
    await caller.untilRotation(a.addr, b.addr)
    const metadata = setPin(setHashKey(new Metadata(), 'alice'), 'a')
    metadata.set('x-own', 'kept')
    expect(await caller.call(metadata)).toBe(a.addr)
    expect(a.lastHeaders?.get('x-own')).toEqual(['kept'])
    expect(Object.keys(a.lastHeaders?.getMap() ?? {}).filter((name) => name.startsWith('disco'))).toEqual([])
  })

  test('determine the endpoint: calls with the same hash key reach the same endpoint', async () => {
    using caller = new Caller(TARGET, { policy: 'ring_hash' })
    await caller.untilRotation(a.addr, b.addr)
    const seen = new Set<string>()
    for (let user = 0; user < 20; user++) {
      const addr = await caller.call(setHashKey(new Metadata(), `user-${user}`))
      seen.add(addr)
      for (let again = 0; again < 3; again++) {
        expect(await caller.call(setHashKey(new Metadata(), `user-${user}`))).toBe(addr)
      }
    }
    expect(seen.size).toBe(2)
  })
})
