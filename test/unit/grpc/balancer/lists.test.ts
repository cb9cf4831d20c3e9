import { connectivityState, experimental, Metadata } from '@grpc/grpc-js'
import { beforeEach, describe, expect, it } from 'vitest'
import { registerPolicy } from '../../../../src/grpc/balancer/balancer.js'
import { changedEndpoints, registeredById } from '../../../../src/grpc/resolver/endpoint.js'
import { grpcPolicyName } from '../../../../src/grpc/resolver/policy-config.js'
import { Selection } from '../../../../src/grpc/resolver/selection.js'
import { findPolicy } from '../../../../src/policies/index.js'
import { endpoint } from '../../../support/endpoints.js'
import { FakeSubchannel } from '../../../support/fake-subchannel.js'

type Weights = Readonly<Record<string, number>>

/** A service's list as the resolver passes it on. Endpoints that a list has in common with the one before are the same. */
function lists(...weights: readonly Weights[]): experimental.Endpoint[][] {
  const made = new Map<string, ReturnType<typeof endpoint>>()
  const one = ([addr, weight]: [string, number]) => {
    const known = made.get(`${addr} ${weight}`) ?? endpoint({ addr, weight })
    made.set(`${addr} ${weight}`, known)
    return known
  }
  const selection = new Selection({ where: {}, spillOver: false })
  return weights.map((list) => selection.of(Object.entries(list).map(one)).endpoints)
}

/** A channel's balancer over subchannels that are READY at once, and what it reports to the channel. */
class Channel {
  readonly reported: connectivityState[] = []
  private picker: experimental.Picker | null = null
  private readonly balancer: experimental.ChildLoadBalancerHandler
  private readonly config: experimental.TypedLoadBalancingConfig

  constructor(policy: string) {
    const kind = findPolicy(policy)
    registerPolicy(kind)
    const config = experimental.selectLbConfigFromList([{ [grpcPolicyName(kind)]: {} }])
    if (!config) throw new Error('the policy is not registered')
    this.config = config
    this.balancer = new experimental.ChildLoadBalancerHandler({
      createSubchannel: (address) => new FakeSubchannel(address),
      updateState: (state, picker) => {
        this.reported.push(state)
        this.picker = picker
      },
      requestReresolution: () => {},
      addChannelzChild: () => {},
      removeChannelzChild: () => {},
    })
  }

  update(list: experimental.Endpoint[] | undefined): void {
    // As grpc-js does: an object of its own for every list.
    this.balancer.updateAddressList(experimental.statusOrFromValue(list ?? []), this.config, {}, '')
  }

  /** How often each endpoint is picked. */
  picks(times: number): Weights {
    const counts: Record<string, number> = {}
    for (let at = 0; at < times; at++) {
      const result = this.picker?.pick({ metadata: new Metadata(), extraPickInfo: {} })
      const addr = result?.subchannel?.getAddress() ?? 'none'
      counts[addr] = (counts[addr] ?? 0) + 1
    }
    return counts
  }
}

const [A, B, C] = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] as const

describe('a channel without an observer', () => {
  let channel: Channel
  beforeEach(() => {
    channel = new Channel('weighted_round_robin')
  })

  it('keeps its picker when a weight changes, and picks by the new weight', () => {
    const [before, after] = lists({ [A]: 1, [B]: 1 }, { [A]: 1, [B]: 3 })
    channel.update(before)
    expect(channel.picks(4)).toEqual({ [A]: 2, [B]: 2 })
    channel.update(after)
    expect(channel.picks(8)).toEqual({ [A]: 2, [B]: 6 })
    expect(channel.reported.filter((state) => state === connectivityState.READY)).toHaveLength(1)
  })

  it('follows an endpoint that is drained, leaves, and comes back', () => {
    const steps = lists({ [A]: 1, [B]: 1 }, { [A]: 0, [B]: 1 }, { [B]: 1 }, { [B]: 1, [A]: 1 })
    const seen = steps.map((list) => {
      channel.update(list)
      return channel.picks(4)
    })
    expect(seen).toEqual([{ [A]: 2, [B]: 2 }, { [B]: 4 }, { [B]: 4 }, { [A]: 2, [B]: 2 }])
  })

  it('follows an empty list, then the previous list again', () => {
    const [full, empty] = lists({ [A]: 1, [B]: 1 }, {})
    channel.update(full)
    channel.update(empty)
    expect(channel.reported.at(-1)).toBe(connectivityState.TRANSIENT_FAILURE)
    channel.update(full)
    expect(channel.picks(4)).toEqual({ [A]: 2, [B]: 2 })
  })

  it('may skip lists', () => {
    const [first, , third] = lists({ [A]: 1, [B]: 1 }, { [A]: 1, [B]: 3 }, { [A]: 3, [B]: 3 })
    channel.update(first)
    channel.update(third)
    expect(channel.picks(4)).toEqual({ [A]: 2, [B]: 2 })
  })
})

it('applies the order of a list if only the order has changed', () => {
  const channel = new Channel('pick_first')
  const steps = lists({ [A]: 1, [B]: 1, [C]: 1 }, { [C]: 1, [B]: 1, [A]: 1 }, { [C]: 1, [B]: 1, [A]: 0 })
  const seen = steps.map((list) => {
    channel.update(list)
    return channel.picks(1)
  })
  expect(seen).toEqual([{ [A]: 1 }, { [A]: 1 }, { [C]: 1 }])
})

describe('changedEndpoints', () => {
  it('runs once for all channels that go from one list to the next', () => {
    const [before = [], after = []] = lists({ [A]: 1, [B]: 1 }, { [A]: 1, [B]: 3 })
    const first = changedEndpoints(registeredById(before), registeredById(after))
    expect(first?.map(({ registration, weight }) => [registration.addr, weight])).toEqual([[B, 3]])
    expect(changedEndpoints(registeredById(before), registeredById(after))).toBe(first)
  })

  it.each<[string, Weights]>([
    ['an endpoint has come', { [A]: 1, [B]: 1, [C]: 1 }],
    ['one has gone', { [A]: 1 }],
    ['another has taken its place', { [A]: 1, [C]: 1 }],
    ['the order has changed', { [B]: 1, [A]: 1 }],
  ])('is null where %s', (_, then) => {
    const [before = [], after = []] = lists({ [A]: 1, [B]: 1 }, then)
    expect(changedEndpoints(registeredById(before), registeredById(after))).toBeNull()
  })
})
