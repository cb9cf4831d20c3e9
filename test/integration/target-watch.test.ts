import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { TargetWatch } from '../../src/grpc/resolver/target-watch.js'
import { ScriptedDiscovery } from '../support/scripted-discovery.js'

it('a closed TargetWatch does not start to watch, neither at once nor later', async () => {
  const discovery = ScriptedDiscovery.installed()
  const watch = new TargetWatch('etcd:///hello', { list: () => undefined, failed: () => undefined })
  watch.close()
  await turn()
  watch.refresh()
  await turn()
  expect(discovery.watches).toBe(0)
})
