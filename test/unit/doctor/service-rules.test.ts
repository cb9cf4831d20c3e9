import { describe, expect, it } from 'vitest'
import type { ServiceFacts } from '../../../src/doctor/facts.js'
import { findingsBy } from '../../../src/doctor/finding.js'
import { RULES, SERVICE_RULES } from '../../../src/doctor/rules/index.js'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { checked, facts } from '../../support/doctor-facts.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'

const one = (fields: Partial<Endpoint> = {}) => endpoint({ addr: '10.0.0.1:1', lease: 'a', ...fields })
const two = (fields: Partial<Endpoint> = {}) => endpoint({ addr: '10.0.0.2:1', lease: 'b', ...fields })
const WELL = { '10.0.0.1:1': checked(null), '10.0.0.2:1': checked(null) }
const ttl = (ttlSeconds: number, grantedTtlSeconds: number) => ({ ttlSeconds, grantedTtlSeconds })

const found = (of: ServiceFacts) => findingsBy(SERVICE_RULES, of, 'hello')
/** `D001 error 10.0.0.1:1`, and the command. */
const brief = (of: ServiceFacts) =>
  found(of).map(({ code, severity, endpoint: at, remedy }) => [
    `${code} ${severity} ${at?.addr ?? 'hello'}`,
    remedy.command?.join(' ') ?? null,
    remedy.removes === null ? 'by hand' : 'safe',
  ])

describe('findings about a service', () => {
  it('are empty for a healthy service, probed or not', () => {
    expect(found(facts([one(), two()], { health: WELL, ttls: { a: ttl(9, 10), b: ttl(8, 10) } }))).toEqual([])
    expect(found(facts([one(), two()]))).toEqual([])
  })

  const REFUSED = { ...WELL, '10.0.0.1:1': checked('refused') }

  it.each<[string, ServiceFacts, unknown]>([
    [
      'no lease, and its server runs: no removal',
      facts([one({ lease: null }), two()], { health: WELL }),
      [['D001 error 10.0.0.1:1', null, 'by hand']],
    ],
    [
      'no lease, and not probed: a removal by hand, once its server has ended',
      facts([one({ lease: null }), two()]),
      [['D001 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand']],
    ],
    [
      'no lease and refused: a leftover',
      facts([one({ lease: null }), two()], { health: REFUSED }),
      [
        ['D001 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'safe'],
        ['D002 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'safe'],
      ],
    ],
    [
      'no lease and refused, and the only one with a weight beside a drained one: not safe',
      facts([one({ lease: null }), two({ weight: 0 })], { health: REFUSED }),
      [
        ['D001 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand'],
        ['D002 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand'],
        ['D010 warning 10.0.0.2:1', 'disco weight hello 10.0.0.2:1 1', 'by hand'],
      ],
    ],
    [
      'one of the two addresses of a key without a lease is refused: not a leftover',
      facts([one({ lease: null, key: '/hello/k' }), two({ lease: null, key: '/hello/k' })], {
        health: REFUSED,
      }),
      [
        ['D001 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand'],
        ['D002 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand'],
      ],
    ],
    [
      'refused under a lease: weight 0, which can be undone',
      facts([one(), two()], { health: REFUSED }),
      [['D002 error 10.0.0.1:1', 'disco weight hello 10.0.0.1:1 0', 'by hand']],
    ],
    [
      'refused, where weight 0 would turn the weights off: removal',
      facts([one()], { health: REFUSED }),
      [['D002 error 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand']],
    ],
    [
      'refused, and drained: no call can fail, and weight 0 would change nothing',
      facts([one({ weight: 0 }), two()], { health: REFUSED }),
      [
        ['D002 warning 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand'],
        ['D010 warning 10.0.0.1:1', 'disco weight hello 10.0.0.1:1 1', 'by hand'],
      ],
    ],
    [
      'NOT_SERVING',
      facts([one(), two()], { health: { ...WELL, '10.0.0.1:1': checked('not-serving') } }),
      [['D003 error 10.0.0.1:1', 'disco weight hello 10.0.0.1:1 0', 'by hand']],
    ],
    [
      'no answer',
      facts([one(), two()], { health: { ...WELL, '10.0.0.1:1': checked('no-answer') } }),
      [['D003 error 10.0.0.1:1', 'disco weight hello 10.0.0.1:1 0', 'by hand']],
    ],
    [
      'TLS beside plaintext',
      facts([one(), two()], { health: { ...WELL, '10.0.0.1:1': checked('speaks-tls') } }),
      [['D004 error 10.0.0.1:1', 'disco weight hello 10.0.0.1:1 0', 'by hand']],
    ],
    [
      'TLS everywhere: only asked in the wrong way',
      facts([one()], { health: { '10.0.0.1:1': checked('speaks-tls') } }),
      [['D004 warning 10.0.0.1:1', null, 'by hand']],
    ],
    [
      'the address of all interfaces',
      facts([one({ addr: '0.0.0.0:1' }), two()], { health: WELL }),
      [['D005 error 0.0.0.0:1', 'disco unregister hello 0.0.0.0:1', 'by hand']],
    ],
    [
      'no port',
      facts([one({ addr: '1.2.3.4', problem: { kind: 'not-dialled', text: 'address has no port' } }), two()]),
      [['D005 error 1.2.3.4', 'disco unregister hello 1.2.3.4', 'by hand']],
    ],
    [
      'loopback, where other machines read the registry',
      facts([one({ addr: '127.0.0.1:1' })], { isShared: true }),
      [['D005 warning 127.0.0.1:1', null, 'by hand']],
    ],
    [
      'one address under two keys, both leased: by hand',
      facts([
        one({ createRevision: 5, modRevision: 5 }),
        one({ version: '2.0.0', key: '/hello/2.0.0/10.0.0.1:1', createRevision: 9, modRevision: 9 }),
      ]),
      [['D006 warning 10.0.0.1:1', 'disco unregister hello /hello/1.0.0/10.0.0.1:1', 'by hand']],
    ],
    [
      'one address under two keys, of which one has no lease: that one is the leftover',
      facts([one(), one({ key: '/hello/10.0.0.1:1', lease: null })], { health: WELL }),
      [
        ['D001 error 10.0.0.1:1', null, 'by hand'],
        ['D006 warning 10.0.0.1:1', 'disco unregister hello /hello/10.0.0.1:1', 'safe'],
      ],
    ],
    [
      'one address in two versions, and the one without a lease may be wanted: by hand',
      facts([one(), one({ version: '2.0.0', key: '/hello/2.0.0/10.0.0.1:1', lease: null })], {
        health: WELL,
      }),
      [
        ['D001 error 10.0.0.1:1', null, 'by hand'],
        ['D006 warning 10.0.0.1:1', 'disco unregister hello /hello/2.0.0/10.0.0.1:1', 'by hand'],
      ],
    ],
    [
      'one address in two layouts, and the one without a lease may be wanted: by hand',
      facts([one(), one({ layout: 'kratos', key: '/microservices/hello/1', lease: null })], {
        health: WELL,
      }),
      [
        ['D001 error 10.0.0.1:1', null, 'by hand'],
        ['D006 warning 10.0.0.1:1', 'disco unregister hello /microservices/hello/1', 'by hand'],
        ['D014 warning hello', null, 'by hand'],
      ],
    ],
    [
      'a refused record of a layout that takes no leases: written by hand, so removed by hand',
      facts([one({ layout: 'skydns', lease: null }), two({ layout: 'skydns', lease: null })], {
        health: REFUSED,
      }),
      [['D002 error 10.0.0.1:1', 'disco weight hello 10.0.0.1:1 0', 'by hand']],
    ],
    [
      'two records of one address in a layout that takes no leases: neither is the leftover',
      facts([
        one({ layout: 'skydns', lease: null, key: '/skydns/hello/a', modRevision: 3 }),
        one({ layout: 'skydns', key: '/skydns/hello/b', modRevision: 2 }),
      ]),
      [['D006 warning 10.0.0.1:1', 'disco unregister hello /skydns/hello/b', 'by hand']],
    ],
    [
      'a value that cannot be read',
      facts([one({ problem: NOT_JSON }), two()]),
      [['D007 warning 10.0.0.1:1', 'disco unregister hello /hello/1.0.0/10.0.0.1:1', 'by hand']],
    ],
    [
      'a value for another key',
      facts([
        one({ problem: { kind: 'misplaced', text: 'x', belongsAt: '/hello/y', rootHint: null } }),
        two({ problem: { kind: 'misplaced', text: 'x', belongsAt: '/hello/z', rootHint: '/prod dc' } }),
      ]),
      [
        ['D008 warning 10.0.0.1:1', 'disco unregister hello /hello/1.0.0/10.0.0.1:1', 'by hand'],
        ['D008 warning 10.0.0.2:1', 'disco doctor --root /prod dc', 'by hand'],
      ],
    ],
    [
      'weight 0 in a layout whose clients read it as their default',
      facts([one({ weight: 0, layout: 'kitex', modRevision: 2 }), two({ layout: 'kitex' })]),
      [
        ['D009 warning 10.0.0.1:1', 'disco unregister hello 10.0.0.1:1', 'by hand'],
        ['D010 warning 10.0.0.1:1', 'disco drain hello 10.0.0.1:1 --undo', 'by hand'],
      ],
    ],
    [
      'weight 0 from the registration on: no weight to take from the history',
      facts([one({ weight: 0, createRevision: 7, modRevision: 7 }), two()], { health: WELL }),
      [['D010 warning 10.0.0.1:1', 'disco weight hello 10.0.0.1:1 1', 'by hand']],
    ],
    [
      'a weight that was changed, in a layout with clients that are late',
      facts([one({ weight: 5, createRevision: 1, modRevision: 2 }), two()]),
      [['D009 info hello', null, 'by hand']],
    ],
    [
      'all weights 0: they are unset, and nothing is drained',
      facts([one({ weight: 0 }), two({ weight: 0 })]),
      [],
    ],
    [
      'a lease that holds keys of two hosts',
      facts([one({ lease: 'x' }), two({ lease: 'x' })]),
      [['D011 warning 10.0.0.1:1', null, 'by hand']],
    ],
    [
      'a lease that holds two ports of one host, or several services there',
      facts([one({ lease: 'x' }), one({ addr: '10.0.0.1:2', lease: 'x' })], {
        others: [endpoint({ service: 'other', addr: '10.0.0.1:3', lease: 'x' })],
      }),
      [],
    ],
    [
      'a TTL of 2 s',
      facts([one(), two()], { ttls: { a: ttl(2, 2), b: ttl(9, 10) } }),
      [['D012 warning 10.0.0.1:1', null, 'by hand']],
    ],
    [
      'a TTL below the round trip',
      facts([one(), two()], { ttls: { a: ttl(4, 4), b: ttl(4, 4) }, roundTripMs: 5_000 }),
      [['D012 error hello', null, 'by hand']],
    ],
    [
      'a lease that its registrar does not renew',
      facts([one(), two()], { ttls: { a: ttl(2, 10), b: ttl(6, 10) } }),
      [['D013 warning 10.0.0.1:1', null, 'by hand']],
    ],
    [
      'two layouts',
      facts([one(), two({ layout: 'kratos' })], { health: WELL }),
      [['D014 warning hello', null, 'by hand']],
    ],
    [
      'another protocol',
      facts([
        one({ problem: { kind: 'not-dialled', text: 'speaks http, not gRPC' }, layout: 'kratos' }),
        two({ layout: 'kratos' }),
      ]),
      [['D015 info 10.0.0.1:1', null, 'by hand']],
    ],
  ])('%s', (_, of, expected) => {
    expect(brief(of)).toEqual(expected)
  })

  it('do not blame a server that denies the health check, or that cannot be dialled from this machine', () => {
    for (const fault of ['denied', 'local', 'no-socket'] as const)
      expect(found(facts([one(), two()], { health: { ...WELL, '10.0.0.1:1': checked(fault) } }))).toEqual([])
  })

  it('show the share of the traffic, and since which revision', () => {
    const [noLease, refused] = found(
      facts([one({ lease: null, weight: 3, modRevision: 112 }), two()], { health: REFUSED }),
    )
    expect(noLease).toMatchObject({ code: 'D001', since: 112, share: 0.75 })
    expect(refused).toMatchObject({ code: 'D002', share: 0.75, cost: '75.0% of the traffic has no server' })
  })

  it.each(['refused', 'not-serving'] as const)(
    'give a drained endpoint back only once it serves: %s',
    (fault) => {
      const conditionsOf = (modRevision: number) =>
        found(
          facts([one({ weight: 0, createRevision: 7, modRevision }), two()], {
            health: { ...WELL, '10.0.0.1:1': checked(fault) },
          }),
        ).flatMap(({ code, remedy }) => (code === 'D010' ? remedy.otherwise : []))
      for (const modRevision of [7, 9])
        expect(conditionsOf(modRevision)).toEqual([expect.stringMatching(/^once its server serves; or /)])
    },
  )

  it('contain commands that select the service, whatever its name', () => {
    const named = (service: string) =>
      found(facts([one({ service, lease: null }), two({ service })], { health: REFUSED }))[0]?.remedy.command
    expect(named('--all')).toEqual(['disco', 'unregister', 'etcd:///--all?layout=seed', '10.0.0.1:1'])
    expect(named('a b\u200b')?.[2]).toBe('etcd:///a%20b%E2%80%8B?layout=seed')
  })

  it.each<[string, Partial<Endpoint>]>([
    ['D001', { lease: null }],
    ['D002', {}],
    ['D005', { problem: { kind: 'not-dialled', text: 'address has no port' }, addr: 'x\u0007' }],
    ['D007', { problem: NOT_JSON }],
    ['D008', { problem: { kind: 'misplaced', text: 'x', belongsAt: '/hello/y', rootHint: null } }],
    ['D010', { weight: 0 }],
  ])('give no command for a key that cannot be typed, nor words that refer to one: %s', (code, fields) => {
    const untypable = endpoint({ addr: 'x\u0007:1', key: '/hello/\u0007', lease: 'a', ...fields })
    const health = { 'x\u0007:1': checked('refused') }
    const findings = found(facts([untypable, two()], { health }))
    expect(findings.map((finding) => finding.code)).toContain(code)
    for (const { remedy } of findings) {
      expect(remedy.command).toBeNull()
      expect(remedy.otherwise).toMatch(/^no command can name its key/)
    }
  })
})

describe('the table of findings', () => {
  it('has each code once, with a help page for each', () => {
    expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length)
    for (const { code, title, page } of RULES) {
      expect(code).toMatch(/^D\d{3}$/)
      expect(title.length, code).toBeLessThanOrEqual(15)
      expect(page, code).toMatch(/^[A-Ze][\s\S]{80,}\.$/)
    }
  })
})
