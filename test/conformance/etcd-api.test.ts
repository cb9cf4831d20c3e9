import { afterAll, beforeAll, describe } from 'vitest'
import { DevRegistryProcess } from '../support/dev-registry-process.js'
import { RealEtcd } from '../support/etcd.js'
import { testsByEtcd3 } from './by-etcd3.js'
import { testsByEtcdctl } from './by-etcdctl.js'
import type { Server } from './server.js'

/**
 * What clients of etcd rely on, through the clients themselves: the same tests against etcd, which says
 * whether the tests are right, and against the dev registry.
 */
const servers: ReadonlyArray<readonly [string, () => Promise<Server>]> = [
  ['etcd', () => RealEtcd.start()],
  ['the dev registry', () => DevRegistryProcess.start()],
]

describe.each(servers)('%s', (_name, start) => {
  let server: Server
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  describe('by the etcd3 package', () => testsByEtcd3(() => server))
  describe('by etcdctl 3.4', () => testsByEtcdctl(() => server))
})
