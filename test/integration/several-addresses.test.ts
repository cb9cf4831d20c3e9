import { experimental } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { Backend } from '../support/backend.js'
import { Caller } from '../support/caller.js'
import { until } from '../support/disco.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

test('an endpoint with several addresses from another resolver is called at the first address that connects, also after a restart', async () => {
  ScriptedDiscovery.installed()
  const first = await Backend.start()
  const addresses = ['127.0.0.1:1', first.addr].map((addr) => {
    const [host = '', port = ''] = addr.split(':')
    return { host, port: Number(port) }
  })
  experimental.registerResolver(
    'several',
    class implements experimental.Resolver {
      constructor(
        _: experimental.GrpcUri,
        private readonly listener: experimental.ResolverListener,
      ) {}
      updateResolution(): void {
        process.nextTick(() => this.listener(experimental.statusOrFromValue([{ addresses }]), {}, null, ''))
      }
      destroy(): void {}
      static getDefaultAuthority = () => 'several'
    },
  )
  using caller = new Caller('several:///hello')
  expect(await caller.call()).toBe(first.addr)
  first.stop()
  await until(
    () => caller.weights.size === 0,
    () => 'the connection to end',
  )
  const second = await Backend.start({ listen: first.addr })
  // The rotation names an endpoint by its first address.
  await caller.untilRotation('127.0.0.1:1')
  expect(await caller.call()).toBe(second.addr)
  second.stop()
})
