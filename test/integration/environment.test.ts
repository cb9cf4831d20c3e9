import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { install } from '../../src/grpc.js'
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

test('without options, a server and a client use the registry and the user from the environment', async () => {
  // alice may access only this prefix, which shows that the root is used as well.
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
  // With endpoints from the program, the user from the environment is not used, and etcd requires one.
  const own = await Registry.open({ endpoints: [etcd.endpoint], root: '/team', cache: false })
  await expect(own.list('hello')).rejects.toMatchObject({ code: 'ETCD_DENIED' })
  own.close()
  registry.close()
})

test('errors name the environment variable', async () => {
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

test('a named context provides endpoints, user, password and root, and overrides all variables', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'disco-context-'))
  try {
    mkdirSync(join(folder, 'disco'))
    const [name, password] = ['alice', 'a:b']
    const context = { endpoints: [etcd.endpoint], user: name, password, root: '/team', layout: 'auto' }
    // JSON is valid YAML.
    const text = JSON.stringify({ use: 'dc1', contexts: { dc1: context } })
    writeFileSync(join(folder, 'disco/config.yaml'), text, { mode: 0o600 })
    const [port] = await freePorts(1)
    vi.stubEnv('XDG_CONFIG_HOME', folder)
    vi.stubEnv('DISCO_ENDPOINTS', `127.0.0.1:${port}`)
    vi.stubEnv('DISCO_USER', 'mallory:x')
    vi.stubEnv('DISCO_ROOT', '/elsewhere')
    await using backend = await Backend.start()
    await using registration = await register({ context: 'dc1', service: 'by-context', addr: backend.addr })
    expect(registration.held.map(({ key }) => key)).toEqual([`/team/by-context/${backend.addr}`])
    const registry = await Registry.open({ context: 'dc1' })
    expect((await registry.list('by-context')).endpoints).toHaveLength(1)
    registry.close()
    {
      await using _ = await install({ context: 'dc1' })
      using caller = new Caller('etcd:///by-context')
      expect(await caller.call()).toBe(backend.addr)
    }
    await expect(install({ context: 'dc2' })).rejects.toMatchObject({ message: 'No context "dc2"' })
    for (const unset of [undefined, null]) {
      await expect(install({ context: unset as unknown as string })).rejects.toMatchObject({ code: 'USAGE' })
    }
    // The context in use does not count unless it is named.
    const other = await Registry.open({ commandTimeoutMs: 300 })
    await expect(other.list()).rejects.toMatchObject({ code: 'ETCD_UNREACHABLE' })
    other.close()
    await expect(Registry.open({ context: 'dc2' })).rejects.toMatchObject({
      message: 'No context "dc2"',
      suggestions: ['Did you mean dc1?', 'Available: dc1'],
    })
    await expect(Registry.open({ context: 'dc1', endpoints: [etcd.endpoint] })).rejects.toMatchObject({
      message: 'The options context and endpoints exclude each other',
    })
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
})
