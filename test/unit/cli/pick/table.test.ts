import { describe, expect, it } from 'vitest'
import { movedKeys, simulatePicks } from '../../../../src/call/pick-simulation.js'
import { pickDoc } from '../../../../src/cli/pick/document.js'
import { renderSimulation } from '../../../../src/cli/pick/table.js'
import { resolveDoc } from '../../../../src/cli/resolve/document.js'
import { renderResolution } from '../../../../src/cli/resolve/table.js'
import type { Endpoint } from '../../../../src/domain/endpoint.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import type { Resolution } from '../../../../src/grpc/resolver/resolve.js'
import { toGrpcEndpoints } from '../../../../src/grpc/resolver/selection.js'
import { findPolicy } from '../../../../src/policies/index.js'
import { endpoint } from '../../../support/endpoints.js'
import { plain } from '../../../support/palettes.js'

const LIST = { revision: 1042, stale: null, cachedAgeMs: null, isNew: true }

function resolution(registered: readonly Endpoint[], list: Partial<typeof LIST> | object = {}): Resolution {
  return {
    target: 'etcd:///hello',
    service: 'hello',
    authority: 'hello',
    list: { ...LIST, registered, selected: registered, ...list },
    endpoints: toGrpcEndpoints(registered, { where: {}, spillOver: false }),
    serviceConfig: { loadBalancingConfig: [{ disco_round_robin: {} }] },
  }
}

const TWO = [endpoint({ addr: 'a:1', weight: 3 }), endpoint({ addr: 'b:1', weight: 1 })]

function simulated(policy: string, picks: number, config = {}, without: string | null = null): string {
  const plan = { policy: findPolicy(policy).configure(config), picks, seed: 7 }
  const from = resolution(TWO)
  const leavers = new Set(from.endpoints.filter(({ registration }) => registration.addr === without))
  const moves = without === null ? null : { without, ...movedKeys(from.endpoints, leavers, plan) }
  return renderSimulation(pickDoc(from, plan, simulatePicks(from.endpoints, plan), moves), plain)
}

describe('a simulation as text', () => {
  it('shows simulated and expected picks, and the guarantee of the policy', () => {
    expect(simulated('wrr', 8)).toBe(
      [
        'etcd:///hello   policy weighted_round_robin   8 picks   from etcd, rev 1042',
        '',
        'ENDPOINT  VERSION  WEIGHT  PICKS  SHARE  EXPECTED   GAP',
        'a:1       1.0.0         3      6  75.0%     75.0%  0.00  ████████████████████|',
        'b:1       1.0.0         1      2  25.0%     25.0%  0.00  ███████|',
        '',
        'largest gap 0.75 picks at any moment: always below 1 under this policy',
      ].join('\n'),
    )
  })

  it('does not round a gap below one pick up to one', () => {
    const many = resolution(Array.from({ length: 5_000 }, (_, at) => endpoint({ addr: `a:${at + 1}` })))
    const plan = { policy: findPolicy('wrr').configure({}), picks: 3, seed: 1 }
    const doc = pickDoc(many, plan, simulatePicks(many.endpoints, plan), null)
    expect(doc.gap).toBe(0.999)
    expect(renderSimulation(doc, plain)).toContain('largest gap 0.99 picks')
  })

  it.each([
    ['random', {}, 'drawn with seed 7: shares follow on average'],
    ['least_request', {}, 'drawn with seed 7: every endpoint is idle in a simulation'],
    ['ring_hash', {}, 'each pick has another key, and a key always gets the same endpoint'],
    ['ring_hash', { key: 'k' }, 'policy ring_hash {"key":"k"}'],
    ['ring_hash', { key: 'k' }, 'Every pick has the same key, and so the same endpoint'],
    ['source_hash', {}, 'each pick is for another client, and a client always gets the same endpoint'],
    ['pick_first', {}, 'This policy promises no shares'],
    ['pinned', { to: 'x' }, '! 8 picks of 8 would fail: the pinned endpoint is not in rotation'],
  ])('%s %j: %s', (policy, config, words) => {
    expect(simulated(policy, 8, config)).toContain(words)
  })

  it('shows how many keys would move when an endpoint leaves, and from which endpoints', () => {
    expect(simulated('ring_hash', 1_000, {}, 'b:1')).toMatch(
      /\nWithout b:1, \d+ of 1000 keys move \(2\d\.\d%\): all of them were on it$/,
    )
  })

  it('reports an empty rotation', () => {
    const plan = { policy: findPolicy('wrr').configure({}), picks: 3, seed: 1 }
    const empty = resolution([])
    const text = renderSimulation(pickDoc(empty, plan, simulatePicks([], plan), null), plain)
    expect(text).toContain('! 3 picks of 3 would fail: no endpoint is in rotation')
  })
})

describe('a resolution as text', () => {
  it('shows the source, the endpoints, and the service config', () => {
    const zoned = endpoint({ addr: 'a:1', weight: 3, id: 'e1', metadata: { zone: 'b', rack: '7' } })
    expect(renderResolution(resolveDoc(resolution([zoned])), plain)).toBe(
      [
        'etcd:///hello → 1 endpoint, weight 3   from etcd, rev 1042',
        '',
        'ADDRESS  VERSION  WEIGHT   SHARE  ID  METADATA',
        'a:1      1.0.0         3  100.0%  e1  zone=b rack=7',
        '',
        'authority       hello',
        'service config  {"loadBalancingConfig":[{"disco_round_robin":{}}]}',
      ].join('\n'),
    )
  })

  it('marks a list from the cache, with its age and the reason', () => {
    const stale = new DiscoError('ETCD_UNREACHABLE', 'etcd is away\u001b[2J')
    const text = renderResolution(resolveDoc(resolution(TWO, { stale, cachedAgeMs: 7_200_000 })), plain)
    expect(text).toContain('from the cache, rev 1042, seen 2h ago\n! STALE: etcd is away\\u001b[2J\n')
  })

  it('shows no control characters from the registry', () => {
    const evil = endpoint({ version: '1\u001b[31m', id: 'a\u0007', metadata: { 'k\u009b': '\u202e' } })
    const text = renderResolution(resolveDoc(resolution([evil])), plain)
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(text).toContain('1\\u001b[31m')
  })

  it('with another scheme has no revision, and only the default service config of grpc-js', () => {
    const { list, ...rest } = resolution(TWO)
    const dns = { ...rest, list: null, target: 'dns:///a:1', service: null, serviceConfig: null }
    expect(list).not.toBeNull()
    const text = renderResolution(resolveDoc(dns), plain)
    expect(text).toContain('dns:///a:1 → 2 endpoints, weight 4   from dns\n')
    expect(text).toContain('service config  none: pick_first')
  })
})
