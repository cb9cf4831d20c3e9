import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Update } from '../../src/domain/discovery.js'
import { defaultCacheFolder, ListCache } from '../../src/registry/cache.js'
import type { CachedList } from '../../src/registry/cached-list.js'
import { Registry } from '../../src/registry/registry.js'
import { Disco, until } from '../support/disco.js'
import { endpoint } from '../support/endpoints.js'
import { RealEtcd } from '../support/etcd.js'
import { registration, wipe } from '../support/etcd-state.js'
import { GreeterProcess } from '../support/greeter-process.js'

const TARGET = { members: ['a:1', 'b:1'], layout: 'seed', root: '', service: 'hello' }
const LIST: CachedList = { revision: 7, endpoints: [endpoint()], seenAtMs: 1_000 }

let home: string
const folder = () => join(home, 'disco')
/** Files of cached lists, without the files of revision times in the same folder. */
const files = () => readdirSync(folder()).filter((name) => !name.startsWith('revisions-'))
const onlyFile = () => join(folder(), files()[0] ?? '')

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'disco-cache-'))
})
afterEach(() => rmSync(home, { recursive: true, maxRetries: 5 }))

describe('cached lists', () => {
  let warnings: string[]
  const open = () => new ListCache(folder(), (message) => warnings.push(message))

  beforeEach(() => {
    warnings = []
  })

  test('are returned unchanged for the same members in any order, and for no others', async () => {
    await open().write(TARGET, LIST)
    expect(await open().read({ ...TARGET, members: ['b:1', 'a:1'] })).toEqual(LIST)
    expect(await open().read({ ...TARGET, members: ['a:1'] })).toBeNull()
    expect(await open().read({ ...TARGET, service: 'hello2' })).toBeNull()
    expect(await open().read({ ...TARGET, layout: 'etcd' })).toBeNull()
    expect(await open().read({ ...TARGET, root: '/prod/' })).toBeNull()
    expect(warnings).toEqual([])
  })

  test('in the former format, with decimal lease ids, are read', async () => {
    await open().write(TARGET, LIST)
    const { endpoints, ...rest } = JSON.parse(readFileSync(onlyFile(), 'utf8'))
    const [stored] = endpoints
    const former = { ...stored, lease: '7587895129381038084' }
    writeFileSync(onlyFile(), JSON.stringify({ ...rest, format: 1, endpoints: [former] }))
    expect(await open().read(TARGET)).toEqual({
      ...LIST,
      endpoints: [endpoint({ lease: '694d9e6af3ac6804' })],
    })
    expect(warnings).toEqual([])
  })

  test('are readable by their owner only', async () => {
    await open().write(TARGET, LIST)
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600)
    expect(statSync(folder()).mode & 0o777).toBe(0o700)
  })

  test('are replaced in one step: concurrent writers leave one complete list, and no other file', async () => {
    const lists = Array.from({ length: 20 }, (_, index) => ({ ...LIST, revision: index + 1 }))
    await Promise.all(lists.map((list) => open().write(TARGET, list)))
    expect(lists).toContainEqual(await open().read(TARGET))
    expect(files()).toHaveLength(1)
    expect(warnings).toEqual([])
  })

  test('are removed if the new list is empty or too large', async () => {
    await open().write(TARGET, LIST)
    await open().write(TARGET, { ...LIST, endpoints: [] })
    expect(files()).toEqual([])
    await open().write(TARGET, LIST)
    const long = endpoint({ metadata: { note: 'x'.repeat(17_000_000) } })
    await open().write(TARGET, { ...LIST, endpoints: [long] })
    expect(files()).toEqual([])
  })

  test('are limited to 64, and the oldest are removed', async () => {
    const cache = open()
    const listOf = (service: string) => ({ ...LIST, endpoints: [endpoint({ service })] })
    for (let index = 0; index < 70; index++) {
      await cache.write({ ...TARGET, service: `s${index}` }, listOf(`s${index}`))
    }
    expect(files()).toHaveLength(64)
    expect(await cache.read({ ...TARGET, service: 's69' })).toEqual(listOf('s69'))
  })

  test.each([
    ['no JSON', '{"format":1'],
    ['no object', 'null'],
    ['another format', JSON.stringify({ format: 3 })],
    ['a list of something else', JSON.stringify({ format: 1, revision: 1, seenAtMs: 1, endpoints: [{}] })],
  ])('with %s as content are ignored, with one warning', async (_, text) => {
    const cache = open()
    await cache.write(TARGET, LIST)
    writeFileSync(onlyFile(), text)
    expect(await cache.read(TARGET)).toBeNull()
    expect(await cache.read(TARGET)).toBeNull()
    expect(warnings).toEqual([`${onlyFile()} is damaged, and ignored`])
  })

  test.each<
    [what: string, change: (list: Record<string, unknown>, endpoint: Record<string, unknown>) => void]
  >([
    ['revision -5', (list) => Object.assign(list, { revision: -5 })],
    ['revision 1.5', (list) => Object.assign(list, { revision: 1.5 })],
    ['no time', (list) => Object.assign(list, { seenAtMs: null })],
    ['a weight that is a text', (_, endpoint) => Object.assign(endpoint, { weight: '5' })],
    ['a weight of -1', (_, endpoint) => Object.assign(endpoint, { weight: -1 })],
    ['no weight', (_, endpoint) => Object.assign(endpoint, { weight: null })],
    ['an endpoint of another service', (_, endpoint) => Object.assign(endpoint, { service: 'other' })],
    ['an address that cannot be dialled', (_, endpoint) => Object.assign(endpoint, { addr: 'nowhere' })],
    ['a lease that is not a number', (_, endpoint) => Object.assign(endpoint, { lease: 'abc' })],
    ['a number in the metadata', (_, endpoint) => Object.assign(endpoint, { metadata: { zone: 1 } })],
    ['a list as metadata', (_, endpoint) => Object.assign(endpoint, { metadata: [] })],
    ['a key changed after the list', (_, endpoint) => Object.assign(endpoint, { modRevision: 8 })],
    ['no revisions', (_, endpoint) => Object.assign(endpoint, { createRevision: undefined })],
    ['an id that is not a text', (_, endpoint) => Object.assign(endpoint, { id: 7 })],
  ])('with an impossible value are ignored: %s', async (_, change) => {
    const cache = open()
    await cache.write(TARGET, LIST)
    const list = JSON.parse(readFileSync(onlyFile(), 'utf8'))
    change(list, list.endpoints[0])
    writeFileSync(onlyFile(), JSON.stringify(list))
    expect(await cache.read(TARGET)).toBeNull()
    expect(warnings).toEqual([`${onlyFile()} is damaged, and ignored`])
  })

  test('are not read from or written to a folder that other users can write to, with one warning', async () => {
    await open().write(TARGET, LIST)
    chmodSync(folder(), 0o777)
    const cache = open()
    expect(await cache.read(TARGET)).toBeNull()
    await cache.write({ ...TARGET, service: 'other' }, LIST)
    expect(files()).toHaveLength(1)
    expect(warnings).toEqual([`The cache folder ${folder()} is not used: other users can write to it`])
  })

  test('are not read from a file that other users can write to, nor through a link', async () => {
    await open().write(TARGET, LIST)
    chmodSync(onlyFile(), 0o666)
    const cache = open()
    expect(await cache.read(TARGET)).toBeNull()
    expect(await cache.read(TARGET)).toBeNull()
    expect(warnings).toEqual([`The cached list ${onlyFile()} is not used: other users can write to it`])
    chmodSync(onlyFile(), 0o600)
    const file = onlyFile()
    renameSync(file, join(home, 'elsewhere'))
    symlinkSync(join(home, 'elsewhere'), file)
    expect(await open().read(TARGET)).toBeNull()
    expect(warnings).toHaveLength(2)
  })

  test('share their folder with files of other programs, which are left alone', async () => {
    await open().write(TARGET, LIST)
    const others = Array.from({ length: 80 }, (_, index) => join(folder(), `other-${index}.json`))
    for (const other of others) {
      writeFileSync(other, 'not ours')
      utimesSync(other, 1, 1)
    }
    const cache = open()
    for (let index = 0; index < 70; index++) await cache.write({ ...TARGET, service: `s${index}` }, LIST)
    expect(files().filter((name) => name.startsWith('other-'))).toHaveLength(80)
    expect(files()).toHaveLength(80 + 64)
    expect(warnings).toEqual([])
  })

  test('are stored below an absolute XDG_CACHE_HOME; a relative one is ignored', () => {
    const inHome = join(homedir(), '.cache', 'disco')
    expect(defaultCacheFolder({ XDG_CACHE_HOME: '/var/x' })).toBe('/var/x/disco')
    for (const relative of ['', 'cache', './cache', '../cache']) {
      expect(defaultCacheFolder({ XDG_CACHE_HOME: relative })).toBe(inHome)
    }
  })

  test('are not stored if the user has no home folder', () => {
    const homeless = () => {
      throw new Error('uv_os_homedir returned ENOENT')
    }
    expect(defaultCacheFolder({}, homeless)).toBeNull()
    expect(defaultCacheFolder({}, () => '')).toBeNull()
    expect(defaultCacheFolder({ XDG_CACHE_HOME: '/var/x' }, homeless)).toBe('/var/x/disco')
  })

  test('that cannot be written cause one warning', async () => {
    writeFileSync(folder(), 'in the way')
    const cache = open()
    await cache.write(TARGET, LIST)
    await cache.write(TARGET, LIST)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toBe(`The cache folder ${folder()} is not used: not a folder`)
  })
})

describe('a client that starts while etcd is unavailable', () => {
  let etcd: RealEtcd
  let greeter: GreeterProcess
  let disco: Disco

  beforeAll(async () => {
    etcd = await RealEtcd.start()
    greeter = await GreeterProcess.start()
  })
  afterAll(async () => {
    await greeter.kill()
    await etcd.stop()
  })
  beforeEach(async () => {
    disco = new Disco(etcd.endpoint, { XDG_CACHE_HOME: home })
    await etcd.ctl('put', ...registration('hello', greeter.addr))
    expect((await disco.run('call', 'hello', 'SayHello')).code).toBe(0)
    expect(files()).toHaveLength(1)
    await etcd.kill()
  })
  afterEach(async () => {
    await etcd.restart()
    await wipe(etcd)
  })

  test('uses the cached list, and reports its age', async () => {
    const { code, stdout, stderr } = await disco.run('call', 'hello', 'SayHello', '-d', '{"name":"you"}')
    expect(code).toBe(0)
    expect(stdout).toContain('Hello you')
    expect(stderr).toMatch(/! etcd is not reachable at \S+ \(connection refused, 3 tries in \d\.\ds\)/)
    expect(stderr).toMatch(/Using the last good list, rev \d+, seen \d+s ago \(STALE\)/)
  })

  test.each([
    ['--no-cache', ['--no-cache']],
    ['a list that is older than it may be', ['--cache-max-age', '1ms']],
  ])('fails with %s', async (_, flags) => {
    const { code, stderr } = await disco.run('call', 'hello', 'SayHello', ...flags)
    expect(code).toBe(3)
    expect(stderr).toContain('etcd is not reachable')
    expect(stderr).not.toContain('STALE')
  })

  test('ignores a damaged file with one warning', async () => {
    writeFileSync(onlyFile(), readFileSync(onlyFile()).subarray(0, 100))
    const { code, stderr } = await disco.run('call', 'hello', 'SayHello')
    expect(code).toBe(3)
    expect(stderr.match(/is damaged, and ignored/g)).toHaveLength(1)
  })

  test('receives the list from etcd as soon as there is one', async () => {
    const updates: Update[] = []
    const stop = new AbortController()
    const registry = await Registry.open({
      endpoints: [etcd.endpoint],
      endpointsSource: 'the test',
      commandTimeoutMs: 1_000,
      dialTimeoutMs: 500,
      cache: { folder: folder() },
      layout: 'auto',
    })
    const watching = (async () => {
      for await (const update of registry.watch({ service: 'hello' }, stop.signal)) updates.push(update)
    })()
    const types = () => updates.map((update) => (update.type === 'reset' ? update.source : update.type))
    await until(
      () => updates.length === 2,
      () => `a list and a Stale, got ${types()}`,
    )
    await etcd.restart()
    await until(
      () => updates.length >= 3,
      () => 'the list from etcd',
    )
    expect(types().slice(0, 3)).toEqual(['cache', 'stale', 'etcd'])
    stop.abort()
    await watching
    registry.close()
  })
})
