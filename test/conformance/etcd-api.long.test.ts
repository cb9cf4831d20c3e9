import { afterAll, beforeAll, describe } from 'vitest'
import { DevRegistryProcess } from '../support/dev-registry-process.js'
import { RealEtcd } from '../support/etcd.js'
import { etcdVersion } from '../support/etcd-binary.js'
import { testsByEtcd3 } from './by-etcd3.js'
import { testsByEtcdctl } from './by-etcdctl.js'
import type { Server } from './server.js'

/**
 * Tests of the API that clients of etcd rely on, through these clients. They run against etcd, which shows that the
 * tests are right, and against the dev registry.
 */
const servers: ReadonlyArray<readonly [name: string, version: string, start: () => Promise<Server>]> = [
  ['etcd', etcdVersion(), () => RealEtcd.start()],
  ['the dev registry', '3.5.30', () => DevRegistryProcess.start()],
]

describe.each(servers)('%s', (_name, version, start) => {
  let server: Server
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  describe('used by the etcd3 package', () => testsByEtcd3(() => server))
  describe('used by etcdctl', () => testsByEtcdctl(() => server, version))
})
