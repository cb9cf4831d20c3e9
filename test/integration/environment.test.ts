import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { install } from '../../src/grpc/index.js'
import { Registry, register } from '../../src/index.js'
import { Backend } from '../support/backend.js'
import { Caller } from '../support/caller.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { freePorts } from '../support/ports.js'

let etcd: RealEtcd

beforeAll(async () => {
  etcd = await RealEtcd.start()
  await enableAuth(etcd, [{ name: 'alice', password: 'a:b', prefix: '/team/' }])
})
afterAll(() => etcd.stop())
afterEach(() => vi.unstubAllEnvs())

test('without options, a server and a client reach the registry that the environment names, as its user', async () => {
  // The prefix that alice may use shows that the root counts as well.
  vi.stubEnv('ETCDCTL_ENDPOINTS', etcd.endpoint)
  vi.stubEnv('ETCDCTL_USER', 'alice:a:b')
  vi.stubEnv('ETCDCTL_COMMAND_TIMEOUT', '20s')
  vi.stubEnv('DISCO_ROOT', '/team')
  await using backend = await Backend.start()
  await using registration = await register({ service: 'hello', addr: backend.addr })
  expect(registration.held.map(({ key }) => key)).toEqual([`/team/hello/${backend.addr}`])
  const registry = await Registry.open()
  install({ discovery: registry })
  using caller = new Caller('etcd:///hello')
  await caller.untilRotation(backend.addr)
  expect(await caller.count(2)).toEqual({ [backend.addr]: 2 })
  // Endpoints of the program's own: the environment's user does not count, and etcd asks for one.
  const own = await Registry.open({ endpoints: [etcd.endpoint], root: '/team', cache: false })
  await expect(own.list('hello')).rejects.toMatchObject({ code: 'ETCD_DENIED' })
  own.close()
  registry.close()
})

test('errors name the variable', async () => {
  const [closed] = await freePorts(1)
  vi.stubEnv('DISCO_ENDPOINTS', `127.0.0.1:${closed}`)
  const registry = await Registry.open()
  await expect(registry.list('hello')).rejects.toMatchObject({
    code: 'ETCD_UNREACHABLE',
    suggestions: [expect.stringContaining('From DISCO_ENDPOINTS')],
  })
  registry.close()
  vi.stubEnv('DISCO_ENDPOINTS', 'localhost')
  await expect(Registry.open()).rejects.toMatchObject({
    code: 'USAGE',
    message: 'etcd endpoint "localhost" from DISCO_ENDPOINTS has no port',
  })
})
