import { expect, it } from 'vitest'
import { renderTarget } from '../../../../src/cli/proxy/table.js'
import { TargetTraffic } from '../../../../src/cli/proxy/traffic.js'
import { uncolored } from '../../../../src/cli/terminal/color.js'
import { textWidth } from '../../../../src/cli/terminal/text-width.js'
import { seeded } from '../../../../src/domain/rng.js'
import { endpoint } from '../../../support/endpoints.js'
import { plainOf } from '../../../support/palettes.js'

type Service = Parameters<typeof renderTarget>[0]

const LOOKS = { policy: 'weighted_round_robin', perSecond: 12, most: 50 }

function member(addr: string, weight: number, problem: string | null = null) {
  const registration = endpoint({ addr, weight })
  return {
    endpoint: { id: addr, registration, weight, addresses: [] },
    isReady: problem === null,
    problem,
    outstanding: { count: 1 },
  }
}

function target(members: readonly ReturnType<typeof member>[], served: readonly string[]) {
  const traffic = new TargetTraffic(
    'exact',
    () => new Date(0),
    () => seeded(1),
  )
  const inRotation = members.filter(({ isReady, endpoint }) => isReady && endpoint.weight > 0)
  const changes = inRotation.map(({ endpoint }) => ({ endpoint, weight: endpoint.weight, isAway: false }))
  traffic.observer.rotated(changes as unknown as Parameters<typeof traffic.observer.rotated>[0])
  for (const addr of served) {
    const one = members.find(({ endpoint }) => endpoint.id === addr)?.endpoint
    traffic.observer.picked(one as unknown as Parameters<typeof traffic.observer.picked>[0], 0)
  }
  const service = { hasList: true, members, name: { target: 'etcd:///hello' } } as unknown as Service
  return { service, traffic }
}

it('shows the state of each endpoint, and the verdict with the unserved weight and its reason', () => {
  const members = [
    member('10.0.0.1:1', 1),
    member('10.0.0.2:1', 0),
    member('10.0.0.3:1', 1, 'connection refused'),
  ]
  const { service, traffic } = target(members, ['10.0.0.1:1', '10.0.0.1:1'])
  const { lines } = renderTarget(service, traffic, LOOKS, uncolored)
  expect(lines[0]).toMatch(/^etcd:\/\/\/hello {2}3 endpoints, 2 READY · 2 calls, 3 open, 12\/s/)
  expect(lines[1]).toBe('PASS, but 50.0% of the weight is unserved: 10.0.0.3:1 connection refused.')
  expect(lines.join('\n')).toMatch(/10\.0\.0\.2:1 .* drained/)
  expect(lines.join('\n')).toMatch(/10\.0\.0\.3:1 .* not READY: connection refused/)
})

it('omits the bars on a narrow terminal, and shows no control characters from the registry', () => {
  const members = [member('10.0.0.1:1', 1), member('unix:/\u001b[2J', 1, 'no such socket\u0007')]
  const { service, traffic } = target(members, ['10.0.0.1:1'])
  const { lines } = renderTarget(service, traffic, LOOKS, plainOf(96))
  expect(lines.join('\n')).not.toMatch(/[\u0007\u001b█]/)
  for (const line of lines.slice(3)) expect(textWidth(line), line).toBeLessThanOrEqual(96)
})

it('counts the rows that are not shown', () => {
  const members = Array.from({ length: 100 }, (_, at) => member(`10.0.0.1:${at + 1}`, 1))
  const { service, traffic } = target(members, [])
  const { lines, hidden } = renderTarget(service, traffic, { ...LOOKS, most: 10 }, uncolored)
  expect(hidden).toBe(90)
  expect(lines.filter((line) => line.startsWith('10.0.0.1:'))).toHaveLength(10)
  expect(lines[1]).toContain('NONE')
})

it('does not report a service without endpoints before the first list', () => {
  const { service, traffic } = target([], [])
  const { lines } = renderTarget({ ...service, hasList: false } as Service, traffic, LOOKS, uncolored)
  expect(lines[0]).toContain('no list yet')
  expect(lines.join('\n')).not.toContain('no endpoints')
})
