import { afterEach, beforeAll, expect, test } from 'vitest'
import { install } from '../../src/grpc/index.js'
import { Registry } from '../../src/index.js'
import { Caller } from '../support/caller.js'
import type { Etcd } from '../support/etcd.js'
import { wipe } from '../support/etcd-state.js'
import { sharedEtcd } from '../support/shared-etcd.js'

let etcd: Etcd

beforeAll(async () => {
  etcd = await sharedEtcd()
})
afterEach(() => wipe(etcd))

const NAMING = '{"Op":0,"Addr":"127.0.0.1:1001","Metadata":null}'

test.each([
  ['etcd:///x/one', '', 'x/one', 'layout seed, root none, prefix /x/one/'],
  ['etcd:///one?root=/prod', 'prod/', 'one', 'layout seed, root /prod/, prefix /prod/one/'],
])(
  'the error of a call to %s names the searched layout and prefix, and the layout in which the service is registered',
  async (target, root, service, looked) => {
    const registry = await Registry.open({
      endpoints: [etcd.endpoint],
      cache: false,
      commandTimeoutMs: 20_000,
    })
    install({ discovery: registry })
    const key = root === '' ? `${service}/127.0.0.1:1001` : `/${root}${service}/127.0.0.1:1001`
    const details = (count: number) =>
      `No endpoint to dial. ${service} has ${count} registered endpoints (${looked}`
    {
      using caller = new Caller(target)
      await expect(caller.call()).rejects.toMatchObject({ code: 14, details: `${details(0)})` })
    }
    await etcd.ctl('put', key, NAMING)
    {
      using caller = new Caller(target)
      // Under a root, the layout seed also matches the key, but cannot read its value.
      const instead = '; it is registered in layout etcd: add ?layout=etcd to the target)'
      await expect(caller.call()).rejects.toMatchObject({
        code: 14,
        details: `${details(root === '' ? 0 : 1)}${instead}`,
      })
    }
    registry.close()
  },
)
