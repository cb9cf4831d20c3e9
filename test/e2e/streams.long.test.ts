import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { registration } from '../support/etcd-state.js'
import { CALL, describeStreams, HEALTH } from '../support/streaming-commands.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

describeStreams(etcd, disco, HEALTH, CALL)

const ADDED = '127.0.0.1:1001'

test('watch piped into cat prints a change after ten seconds without one', async () => {
  const watch = disco.into('pipe', 'cat', 'watch', 'hello', '--count', '1')
  await watch.printed('"type":"synced"')
  await delay(10_000)
  await etcd.ctl('put', ...registration('hello', ADDED))
  const { code } = await watch.exited()
  expect(code).toBe(0)
  expect(watch.events()).toMatchObject([{ type: 'synced' }, { type: 'added', addr: ADDED }])
})
