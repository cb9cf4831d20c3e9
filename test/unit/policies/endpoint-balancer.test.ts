import { describe, expect, it } from 'vitest'
import type { Update } from '../../../src/domain/discovery.js'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { DiscoError } from '../../../src/domain/errors.js'
import { EndpointBalancer, findPolicy, NO_KEYS, seeded } from '../../../src/policies/index.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'

/** A connection of the tests: open, or ended by `disconnect`. */
interface Connection {
  readonly addr: string
  readonly setReady: (isReady: boolean) => void
}

/** A balancer, and what it has connected and disconnected. */
class Site {
  readonly connected: Connection[] = []
  readonly disconnected: string[] = []
  readonly balancer: EndpointBalancer<Connection>

  constructor(policy: string, select?: (endpoint: Endpoint) => boolean, config: object = {}) {
    this.balancer = new EndpointBalancer<Connection>({
      policy: findPolicy(policy).configure(config),
      random: seeded(1),
      clientKey: 'client',
      ...(select ? { select } : {}),
      connect: ({ addr }, setReady) => {
        const connection = { addr, setReady }
        this.connected.push(connection)
        return connection
      },
      disconnect: ({ addr }) => this.disconnected.push(addr),
    })
  }

  /** Applies a list, and has all its endpoints ready. */
  list(...endpoints: Endpoint[]): void {
    this.balancer.apply({ type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 })
    for (const { setReady } of this.connected) setReady(true)
  }

  change(...changes: Endpoint[]): void {
    const [first, ...more] = changes.map((one) => ({ type: 'put', key: one.key, endpoints: [one] }) as const)
    if (first) this.balancer.apply({ type: 'changes', revision: 2, changes: [first, ...more] })
  }

  remove(key: string): void {
    this.balancer.apply({ type: 'changes', revision: 3, changes: [{ type: 'delete', key }] })
  }

  /** The endpoints of so many calls, each of which ends at once. */
  picks(count: number): Record<string, number> {
    const counts: Record<string, number> = {}
    for (let call = 0; call < count; call++) {
      const picked = this.balancer.pick()
      picked?.release()
      const addr = picked?.connection.addr ?? 'none'
      counts[addr] = (counts[addr] ?? 0) + 1
    }
    return counts
  }
}

const A = endpoint({ addr: '10.0.0.1:1', weight: 1 })
const B = endpoint({ addr: '10.0.0.2:1', weight: 3, version: '2.0.0' })

const SETTINGS = { policy: findPolicy('round_robin').configure({}), random: seeded(1), clientKey: 'client' }

function listOf(...endpoints: Endpoint[]): Update {
  return { type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 }
}

describe('an endpoint balancer without grpc-js', () => {
  it('picks by weight, and applies a new weight without a new connection', () => {
    const site = new Site('weighted_round_robin')
    expect(site.balancer.hasList).toBe(false)
    site.list(A, B)
    expect(site.balancer.hasList).toBe(true)
    expect(site.picks(40)).toEqual({ [A.addr]: 10, [B.addr]: 30 })
    site.change({ ...B, weight: 1 })
    expect(site.picks(40)).toEqual({ [A.addr]: 20, [B.addr]: 20 })
    expect(site.connected).toHaveLength(2)
    expect(site.disconnected).toEqual([])
  })

  it('treats all endpoints as equal if weights are unset, and drains an endpoint with weight 0 otherwise', () => {
    const site = new Site('weighted_round_robin')
    site.list({ ...A, weight: 0 }, { ...B, weight: 0 })
    expect(site.picks(40)).toEqual({ [A.addr]: 20, [B.addr]: 20 })
    site.change({ ...B, weight: 5 })
    expect(site.picks(40)).toEqual({ [B.addr]: 40 })
    expect(site.disconnected).toEqual([])
  })

  it('picks only selected endpoints that can be dialled, and checks the whole service for unset weights', () => {
    const site = new Site('round_robin', ({ version }) => version === '1.0.0')
    site.list({ ...A, weight: 0 }, B, endpoint({ addr: '10.0.0.3:1', problem: NOT_JSON }))
    expect(site.connected.map(({ addr }) => addr)).toEqual([A.addr])
    expect(site.balancer.pick()).toBeNull()
    site.remove(B.key)
    expect(site.picks(4)).toEqual({ [A.addr]: 4 })
  })

  it('skips an endpoint that is not ready, and picks null if none is ready', () => {
    const site = new Site('weighted_round_robin')
    site.list(A, B)
    const [toA, toB] = site.connected
    toB?.setReady(false)
    expect(site.picks(8)).toEqual({ [A.addr]: 8 })
    toA?.setReady(false)
    expect(site.balancer.size).toBe(0)
    expect(site.balancer.pick()).toBeNull()
    toB?.setReady(true)
    expect(site.picks(8)).toEqual({ [B.addr]: 8 })
  })

  it('disconnects an endpoint that left when its last call ends', () => {
    const site = new Site('round_robin')
    site.list(B, A)
    const running = site.balancer.pick()
    expect(running?.endpoint.addr).toBe(B.addr)
    site.remove(B.key)
    expect(site.disconnected).toEqual([])
    expect(site.picks(4)).toEqual({ [A.addr]: 4 })
    running?.release()
    expect(site.disconnected).toEqual([B.addr])
    running?.release()
    site.connected.find(({ addr }) => addr === B.addr)?.setReady(true)
    expect(site.picks(4)).toEqual({ [A.addr]: 4 })
    expect(site.disconnected).toEqual([B.addr])
  })

  it('sends calls to the least loaded endpoint for its weight until they are released', () => {
    const site = new Site('least_request')
    site.list({ ...A, weight: 1 }, { ...B, weight: 1 })
    const held = [site.balancer.pick(), site.balancer.pick(), site.balancer.pick(), site.balancer.pick()]
    const toA = held.filter((one) => one?.endpoint.addr === A.addr)
    expect(toA).toHaveLength(2)
    for (const one of toA) {
      one?.release()
      one?.release()
    }
    const next = Array.from({ length: 4 }, () => site.balancer.pick()?.endpoint.addr)
    expect(next.filter((addr) => addr === A.addr)).toHaveLength(3)
    expect(next.slice(0, 2)).toEqual([A.addr, A.addr])
  })

  it('pins a call by the current id of its endpoint', () => {
    const site = new Site('pinned')
    site.list({ ...A, id: 'a' }, B)
    expect(site.balancer.pick({ ...NO_KEYS, pin: 'a' })?.endpoint.addr).toBe(A.addr)
    site.change({ ...A, id: 'b' })
    expect(site.balancer.pick({ ...NO_KEYS, pin: 'a' })).toBeNull()
    expect(site.balancer.pick({ ...NO_KEYS, pin: 'b' })?.endpoint.id).toBe('b')
  })

  it('rejects an update of one of several registries, and keeps its endpoints', () => {
    const site = new Site('round_robin')
    site.list(A, B)
    const reset = { type: 'reset', revision: 1, endpoints: [], source: 'etcd', ageMs: 0 } as const
    expect(() => site.balancer.apply({ ...reset, registry: 'dc1' })).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('dc1') }),
    )
    expect(site.picks(4)).toEqual({ [A.addr]: 2, [B.addr]: 2 })
    expect(site.disconnected).toEqual([])
  })

  it.each([0, '', null, undefined, false])('picks an endpoint whose connection is %o', (connection) => {
    const disconnected: unknown[] = []
    const balancer = new EndpointBalancer<unknown>({
      ...SETTINGS,
      connect: (_endpoint, setReady) => {
        setReady(true)
        return connection
      },
      disconnect: (one) => disconnected.push(one),
    })
    balancer.apply(listOf(A))
    const picked = balancer.pick()
    expect(picked).toMatchObject({ endpoint: A, connection })
    balancer.close()
    expect(disconnected).toEqual([])
    picked?.release()
    expect(disconnected).toEqual([connection])
  })

  it('skips an endpoint that fails to connect until the next update, and applies the rest', () => {
    const failing = new Set([A.addr])
    const balancer = new EndpointBalancer<string>({
      ...SETTINGS,
      connect: ({ addr }, setReady) => {
        setReady(true)
        if (failing.has(addr)) throw new Error(`no way to ${addr}`)
        return addr
      },
      disconnect: (addr) => {
        if (failing.has(addr)) throw new Error(`no way back from ${addr}`)
      },
    })
    expect(() => balancer.apply(listOf(A, B))).toThrow('no way to')
    const reached = () => {
      const picked = balancer.pick()
      picked?.release()
      return [balancer.size, picked?.endpoint.addr]
    }
    expect([reached(), reached()]).toEqual([
      [1, B.addr],
      [1, B.addr],
    ])
    failing.clear()
    balancer.apply(listOf(A))
    expect(reached()).toEqual([1, A.addr])
    failing.add(A.addr)
    expect(() => balancer.apply(listOf(B))).toThrow('no way back')
    expect(reached()).toEqual([1, B.addr])
  })

  it('keeps its list while the registry is unreachable, and disconnects all endpoints on close', () => {
    const site = new Site('round_robin')
    site.list(A, B)
    const stale: Update = { type: 'stale', sinceMs: 0, cause: new DiscoError('ETCD_UNREACHABLE', 'away') }
    site.balancer.apply(stale)
    expect(site.picks(4)).toEqual({ [A.addr]: 2, [B.addr]: 2 })
    site.balancer.close()
    expect(site.balancer.pick()).toBeNull()
    expect(site.disconnected.sort()).toEqual([A.addr, B.addr])
  })
})
