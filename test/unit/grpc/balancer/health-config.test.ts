import { experimental } from '@grpc/grpc-js'
import { afterEach, expect, test, vi } from 'vitest'
import { registerPolicy } from '../../../../src/grpc/balancer/balancer.js'
import { grpcPolicyName } from '../../../../src/grpc/resolver/policy-config.js'
import { POLICIES } from '../../../../src/policies/index.js'

afterEach(() => vi.restoreAllMocks())

test('a channel parses the health settings of its service config once, not with every list', () => {
  const [kind] = POLICIES
  registerPolicy(kind)
  const config = experimental.selectLbConfigFromList([{ [grpcPolicyName(kind)]: {} }])
  if (!config) throw new Error('the policy is not registered')
  const balancer = new experimental.ChildLoadBalancerHandler({
    createSubchannel: () => {
      throw new Error('the lists are empty')
    },
    updateState: () => {},
    requestReresolution: () => {},
    addChannelzChild: () => {},
    removeChannelzChild: () => {},
  })
  const update = (serviceConfig: string) => {
    // As grpc-js does: an object of its own for every list.
    const options = { 'grpc.service_config': serviceConfig }
    balancer.updateAddressList(experimental.statusOrFromValue([]), config, options, '')
  }
  const first = JSON.stringify({ healthCheckConfig: { serviceName: 'a' } })
  const second = JSON.stringify({ healthCheckConfig: { serviceName: 'b' } })
  const parse = vi.spyOn(JSON, 'parse')
  for (const serviceConfig of [first, first, first, second, second]) update(serviceConfig)
  expect(parse.mock.calls).toEqual([[first], [second]])
  balancer.destroy()
})
