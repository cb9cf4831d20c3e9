import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { parseSelector } from '../../../src/domain/selector.js'
import { type AssignmentSettings, assignmentOf, hostNamesOf } from '../../../src/xds/localities.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'

const SETTINGS: AssignmentSettings = { canary: null, ipsOf: () => [], progressOf: () => 'ended' }

function weightsOf(
  service: Parameters<typeof assignmentOf>[0],
  settings: Partial<AssignmentSettings> = {},
): Record<string, number> {
  const { localities } = assignmentOf(service, { ...SETTINGS, ...settings })
  return Object.fromEntries(
    localities.map(({ name, weight, priority }) => [`${name} in ${priority}`, weight]),
  )
}

describe('the localities of a service', () => {
  it('contain the canary separately, including a socket that it shares with another key', () => {
    const addr = '10.0.0.1:1001'
    const service = [
      endpoint({ addr, version: '1.0.0', weight: 2 }),
      endpoint({ addr, version: '2.0.0', weight: 3 }),
      endpoint({ addr: '10.0.0.2:1001', version: '1.0.0', weight: 4 }),
    ]
    expect(weightsOf(service, { canary: parseSelector('version=2.0.0', '--canary') })).toEqual({
      [`${addr} in 0`]: 3,
      '10.0.0.2:1001 in 1': 4,
    })
    expect(weightsOf(service, { canary: parseSelector('version=3.0.0', '--canary') })).toEqual({
      [`${addr} in 0`]: 5,
      '10.0.0.2:1001 in 0': 4,
    })
  })

  it('distinguish a host name without an answer from one that cannot be resolved', () => {
    const service = [endpoint({ addr: 'slow:1001' }), endpoint({ addr: 'nowhere:1001' })]
    const { omissions } = assignmentOf(service, {
      ...SETTINGS,
      progressOf: (host) => (host === 'slow' ? 'late' : 'ended'),
    })
    expect(omissions.map(({ endpoint: { addr }, reason }) => `${addr} ${reason}`)).toEqual([
      'slow:1001 has a host name that has not been resolved yet',
      'nowhere:1001 has a host name that cannot be resolved',
    ])
  })

  it('contain one endpoint each, with its weight', () => {
    const service = [1, 1, 10].map((weight, at) => endpoint({ addr: `10.0.0.${at}:1001`, weight }))
    expect(assignmentOf(service, SETTINGS).localities).toMatchObject([
      { name: '10.0.0.0:1001', sockets: [{ ip: '10.0.0.0', port: 1001 }], weight: 1, priority: 0 },
      { name: '10.0.0.1:1001', sockets: [{ ip: '10.0.0.1', port: 1001 }], weight: 1, priority: 0 },
      { name: '10.0.0.2:1001', sockets: [{ ip: '10.0.0.2', port: 1001 }], weight: 10, priority: 0 },
    ])
  })

  it('exclude drained endpoints, and those that cannot be dialled, each with its reason', () => {
    const service = [
      endpoint({ addr: '10.0.0.1:1001', weight: 3 }),
      endpoint({ addr: '10.0.0.2:1001', weight: 0 }),
      endpoint({ addr: '10.0.0.3:1001', problem: NOT_JSON }),
      endpoint({ addr: 'unix:/run/hello' }),
      endpoint({ addr: ':1001' }),
      endpoint({ addr: '[fe80::1%eth0]:1001' }),
      endpoint({ addr: 'nowhere:1001' }),
    ]
    const { localities, omissions } = assignmentOf(service, SETTINGS)
    expect(localities.map(({ name }) => name)).toEqual(['10.0.0.1:1001'])
    expect(omissions.map(({ endpoint: { addr }, reason }) => `${addr} ${reason}`)).toEqual([
      '10.0.0.2:1001 is drained',
      '10.0.0.3:1001 value is not JSON',
      'unix:/run/hello is a Unix socket, which gRPC clients do not take by xDS',
      ':1001 has no host',
      '[fe80::1%eth0]:1001 has an IPv6 zone, which gRPC clients do not take by xDS',
      'nowhere:1001 has a host name that cannot be resolved',
    ])
  })

  it('are equal if all weights are 0, which means unset weights', () => {
    const service = ['10.0.0.1:1001', '10.0.0.2:1001'].map((addr) => endpoint({ addr, weight: 0 }))
    expect(weightsOf(service)).toEqual({ '10.0.0.1:1001 in 0': 1, '10.0.0.2:1001 in 0': 1 })
  })

  it('contain all addresses of a host name, and count its weight once', () => {
    const service = [
      endpoint({ addr: 'web:1001', weight: 4 }),
      endpoint({ addr: '[0:0:0:0:0:0:0:1]:1001', weight: 1 }),
    ]
    const ipsOf = (host: string) => (host === 'web' ? ['10.0.0.1', '10.0.0.2', '::2'] : [])
    expect(hostNamesOf(service)).toEqual(new Set(['web']))
    expect(assignmentOf(service, { ...SETTINGS, ipsOf }).localities).toMatchObject([
      {
        name: 'web:1001',
        sockets: ['10.0.0.1', '10.0.0.2', '::2'].map((ip) => ({ ip, port: 1001 })),
        weight: 4,
        priority: 0,
      },
      { name: '[0:0:0:0:0:0:0:1]:1001', sockets: [{ ip: '::1', port: 1001 }], weight: 1, priority: 0 },
    ])
  })

  it('contain no socket twice: two keys with one address add up their weights', () => {
    const addr = '10.0.0.1:1001'
    const service = [
      endpoint({ addr, version: '1.0.0', weight: 2 }),
      endpoint({ addr, version: '2.0.0', weight: 3 }),
      endpoint({ addr: 'web:1001', weight: 5 }),
    ]
    const { localities } = assignmentOf(service, {
      ...SETTINGS,
      ipsOf: () => ['10.0.0.1', '10.0.0.2'],
    })
    expect(localities).toMatchObject([
      { name: addr, weight: 5, sockets: [{ ip: '10.0.0.1' }] },
      { name: 'web:1001', weight: 5, sockets: [{ ip: '10.0.0.2' }] },
    ])
    const sockets = localities.flatMap((one) => one.sockets.map(({ ip, port }) => `${ip}:${port}`))
    expect(new Set(sockets).size).toBe(sockets.length)
  })

  it('have distinct names if two keys have one host name with several addresses', () => {
    const service = ['1.0.0', '2.0.0'].map((version) => endpoint({ addr: 'web:1001', version }))
    let asked = 0
    const ipsOf = () => (asked++ === 0 ? ['10.0.0.1'] : ['10.0.0.1', '10.0.0.2'])
    const names = assignmentOf(service, { ...SETTINGS, ipsOf }).localities.map(({ name }) => name)
    expect(names).toEqual(['web:1001', 'web:1001 10.0.0.2 1001'])
  })
})

describe('a canary', () => {
  const canary = parseSelector('version=2.0.0')
  const old = endpoint({ addr: '10.0.0.1:1001', weight: 9 })
  const young = endpoint({ addr: '10.0.0.2:1001', weight: 1, version: '2.0.0' })

  it('receives all calls, and the others receive them if no canary endpoint is READY', () => {
    expect(weightsOf([old, young], { canary })).toEqual({ '10.0.0.2:1001 in 0': 1, '10.0.0.1:1001 in 1': 9 })
  })

  it.each([
    ['has no endpoint', [old]],
    ['is drained', [old, endpoint({ ...young, weight: 0 })]],
  ])('that %s leaves the others in the first priority', (_, service) => {
    expect(weightsOf(service, { canary })).toEqual({ '10.0.0.1:1001 in 0': 9 })
  })

  it('that is the whole service has only the first priority', () => {
    expect(weightsOf([young], { canary })).toEqual({ '10.0.0.2:1001 in 0': 1 })
  })
})

describe('several registries', () => {
  const of = (registry: string, priority: number, addr: string, fields: Partial<Endpoint> = {}) =>
    endpoint({ addr: `10.0.0.${addr}:1001`, origin: { registry, priority, weight: 1 }, ...fields })
  const placed = (service: readonly Endpoint[], settings: Partial<AssignmentSettings> = {}) =>
    assignmentOf(service, { ...SETTINGS, ...settings }).localities.map(
      ({ registry, name, weight, priority }) => `${registry} ${name.slice(7, 8)} ${weight} in ${priority}`,
    )

  it('are priorities in their order, without a gap for a registry without usable endpoints', () => {
    const service = [of('dc2', 1, '3', { weight: 5 }), of('dc1', 0, '1'), of('dc1', 0, '2', { weight: 3 })]
    expect(placed(service)).toEqual(['dc1 1 1 in 0', 'dc1 2 3 in 0', 'dc2 3 5 in 1'])
    const drained = service.map((one) =>
      one.origin?.registry === 'dc1' ? { ...one, problem: NOT_JSON } : one,
    )
    expect(placed(drained)).toEqual(['dc2 3 5 in 0'])
  })

  it('have unset or set weights independently of each other', () => {
    const service = [of('dc1', 0, '1', { weight: 0 }), of('dc2', 1, '2', { weight: 0 }), of('dc2', 1, '3')]
    expect(placed(service)).toEqual(['dc1 1 1 in 0', 'dc2 3 1 in 1'])
  })

  it('follow a ratio, and divide their part by their own weights', () => {
    const in80 = { origin: { registry: 'dc1', priority: 0, weight: 80 } }
    const in20 = { origin: { registry: 'dc2', priority: 0, weight: 20 } }
    const service = [
      of('dc1', 0, '1', { ...in80, weight: 1 }),
      of('dc1', 0, '2', { ...in80, weight: 3 }),
      of('dc2', 0, '3', { ...in20, weight: 7 }),
    ]
    expect(placed(service)).toEqual(['dc1 1 20 in 0', 'dc1 2 60 in 0', 'dc2 3 20 in 0'])
  })

  it('that share an address serve it only in the best priority, or with the sum of its parts in a ratio', () => {
    expect(placed([of('dc2', 1, '1'), of('dc2', 1, '2'), of('dc1', 0, '1')])).toEqual([
      'dc1 1 1 in 0',
      'dc2 2 1 in 1',
    ])
    expect(placed([of('dc1', 0, '1'), of('dc2', 0, '1'), of('dc2', 0, '2')])).toEqual([
      'dc1 1 1610612733 in 0',
      'dc2 2 536870911 in 0',
    ])
  })

  it('put the canaries of all registries before their other endpoints', () => {
    const canary = parseSelector('version=2.0.0')
    const young = { version: '2.0.0' }
    const service = [of('dc1', 0, '1'), of('dc2', 1, '2', young), of('dc2', 1, '3'), of('dc1', 0, '4', young)]
    expect(placed(service, { canary })).toEqual([
      'dc1 4 1 in 0',
      'dc2 2 1 in 1',
      'dc1 1 1 in 2',
      'dc2 3 1 in 3',
    ])
  })
})
