import { expect, test } from 'vitest'
import { growthOfStoppedWatch } from '../support/stopped-watch.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const MIB = 1024 * 1024

test('watch with a stopped reader stays within 60 MiB over 500,000 events', async () => {
  const growth = await growthOfStoppedWatch(etcd, disco, 25_000)
  console.log(`grew by ${(growth / MIB).toFixed(1)} MiB over 500,000 events`)
  expect(growth).toBeLessThan(60 * MIB)
}, 600_000)
