import { describe, expect, test } from 'vitest'
import { EtcdApi } from '../support/etcd-api.js'
import { grantLease, registration, revision } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, tool, disco } = await toolOnEtcd()

const ADDR = '127.0.0.1:1001'
const KEY = '/microservices/hello/a'
const kratos = (id: string, addr: string) =>
  JSON.stringify({
    id,
    name: 'hello',
    version: '1.0.0',
    metadata: { weight: '3' },
    endpoints: [`grpc://${addr}`],
  })
/** The value of the key in which U+FFFD replaces the invalid bytes, which is itself valid UTF-8. */
const REPLACED_VALUE = kratos('a\ufffd', '127.0.0.1:1002')

/** Keys that become equal if invalid UTF-8 is replaced, each with its displayed form. The last one is valid UTF-8. */
const FF = { key: Buffer.from(`${KEY}\xff`, 'latin1'), shown: `${KEY}\\xff` }
const FE = { key: Buffer.from(`${KEY}\xfe`, 'latin1'), shown: `${KEY}\\xfe` }
const CUT = { key: Buffer.from(`${KEY}\xe2\x82`, 'latin1'), shown: `${KEY}\\xe2\\x82` }
const REPLACED = { key: Buffer.from(`${KEY}\ufffd`), shown: `${KEY}\ufffd` }
const STRANGERS = [CUT, FE, FF]

type Keyed = readonly { readonly key: string; readonly problem: string | null }[]

/** A document of any command, with the members that these tests read. */
interface Doc {
  readonly code: number | null
  readonly endpoints: Keyed
  readonly changes: Keyed
  readonly leftOut: Keyed
  readonly layouts: readonly { readonly name: string; readonly keys: number }[]
  readonly otherKeys: number
}

async function withApi<Result>(use: (api: EtcdApi) => Promise<Result>): Promise<Result> {
  const api = new EtcdApi(etcd.endpoint)
  try {
    return await use(api)
  } finally {
    api.close()
  }
}

const put = (key: Buffer, value: string) =>
  withApi((api) =>
    api.get('KV/Put', { key: key.toString('base64'), value: Buffer.from(value).toString('base64') }),
  )

/** Every key under /microservices/hello/ in latin1, with its mod revision. */
async function stored(): Promise<Map<string, string>> {
  const answer = await withApi((api) =>
    api.get('KV/Range', {
      key: Buffer.from('/microservices/hello/').toString('base64'),
      range_end: Buffer.from('/microservices/hello0').toString('base64'),
    }),
  )
  const { kvs } = answer as { kvs: { key: string; mod_revision: string }[] }
  return new Map(
    kvs.map(({ key, mod_revision }) => [Buffer.from(key, 'base64').toString('latin1'), mod_revision]),
  )
}

async function json(...args: string[]): Promise<Doc> {
  const { stdout, code } = await tool.run(...args, '--json')
  return { ...(JSON.parse(stdout) as object), code } as Doc
}

async function putAll(): Promise<void> {
  await put(Buffer.from(KEY), kratos('a', ADDR))
  for (const { key } of [...STRANGERS, REPLACED]) await put(key, REPLACED_VALUE)
}

describe('Keys that are not UTF-8', () => {
  test('are listed separately with their bytes escaped and the reason, and not as registrations', async () => {
    await putAll()
    for (const layout of ['auto', 'kratos']) {
      const { endpoints } = await json('ls', 'hello', '--layout', layout)
      expect(Object.fromEntries(endpoints.map(({ key, problem }) => [key, problem]))).toEqual({
        [KEY]: null,
        [REPLACED.shown]: null,
        ...Object.fromEntries(STRANGERS.map(({ shown }) => [shown, 'key is not UTF-8'])),
      })
    }
    const { stdout } = await tool.run('ls', 'hello')
    for (const { shown } of STRANGERS) expect(stdout).toContain(shown.split('/').at(-1))
  })

  test('are not counted as registrations', async () => {
    await putAll()
    const { layouts, otherKeys } = await json('layouts')
    expect(layouts.find(({ name }) => name === 'kratos')?.keys).toBe(2)
    expect(otherKeys).toBe(3)
  })

  test('are not changed by weight --all, which reports them', async () => {
    await putAll()
    const before = await stored()
    const doc = await json('weight', 'hello', '--all', '7')
    expect(doc.code).toBe(0)
    const keysOf = (keyed: Keyed) => keyed.map(({ key }) => key).toSorted()
    expect(keysOf(doc.leftOut)).toEqual(STRANGERS.map(({ shown }) => shown).toSorted())
    expect(keysOf(doc.changes)).toEqual([KEY, REPLACED.shown].toSorted())
    const after = await stored()
    for (const { key } of STRANGERS) {
      const name = key.toString('latin1')
      expect(after.get(name), name).toBe(before.get(name))
    }
  })

  test.each([
    ['weight', ['weight', 'hello', FF.shown, '5']],
    ['drain', ['drain', 'hello', FF.shown]],
  ])('are refused by %s, and nothing is written', async (_, args) => {
    await putAll()
    const before = await revision(etcd)
    const doc = await json(...args)
    expect(doc).toMatchObject({ code: 6, error: { message: expect.stringContaining(FF.shown) as string } })
    expect(await revision(etcd)).toBe(before)
  })

  test('are removed by unregister exactly as displayed, without other keys', async () => {
    await putAll()
    const before = await stored()
    const doc = await json('unregister', 'hello', FE.shown)
    expect(doc).toMatchObject({ code: 0, rev: String(await revision(etcd)), removed: [{ key: FE.shown }] })
    before.delete(FE.key.toString('latin1'))
    expect(await stored()).toEqual(before)
    expect(await json('unregister', 'hello', REPLACED.shown)).toMatchObject({
      removed: [{ key: REPLACED.shown }],
    })
    before.delete(REPLACED.key.toString('latin1'))
    expect(await stored()).toEqual(before)
  })

  test('are watched separately', async () => {
    await putAll()
    const watching = disco.start('watch', 'hello', '-o', 'ndjson', '--count', '2')
    await watching.printed('synced')
    await withApi((api) => api.get('KV/DeleteRange', { key: FE.key.toString('base64') }))
    await withApi((api) => api.get('KV/DeleteRange', { key: REPLACED.key.toString('base64') }))
    await watching.exited()
    const gone = watching.events().filter(({ type }) => type === 'gone')
    expect(gone.map(({ key }) => key)).toEqual([FE.shown, REPLACED.shown])
  })
})

describe('Leases', () => {
  test('have 64-bit ids, which are not rounded', async () => {
    const id = (2n ** 63n - 1n).toString()
    await withApi((api) => api.get('Lease/LeaseGrant', { ID: id, TTL: 500 }))
    const [key, value] = registration('hello', ADDR, { weight: 3 })
    await etcd.ctl('put', key, value, '--lease=7fffffffffffffff')
    await etcd.ctl(
      'put',
      ...registration('hello', '127.0.0.1:1002'),
      `--lease=${await grantLease(etcd, 500)}`,
    )
    const { changes } = await json('weight', 'hello', ADDR, '5')
    expect(changes).toMatchObject([{ lease: '7fffffffffffffff' }])
    expect(await etcd.ctl('lease', 'timetolive', '7fffffffffffffff', '--keys')).toContain(key)
  })
})
