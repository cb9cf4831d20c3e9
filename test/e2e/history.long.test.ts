import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChangeDoc } from '../../src/cli/history/document.js'
import { detect } from '../../src/domain/layouts/detect.js'
import { LAYOUTS, type Layout } from '../../src/domain/layouts/index.js'
import { openHistory } from '../../src/registry/history.js'
import { until } from '../support/disco.js'
import { EtcdApi } from '../support/etcd-api.js'
import { grantLease, registration, revision } from '../support/etcd-state.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { openRegistry } from '../support/registry.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'
import { type Example, LAYOUT_VECTORS } from '../support/vectors.js'
import { Writer } from '../support/writer.js'

const { etcd, disco, tool } = await toolOnOwnEtcd()

let api: EtcdApi
beforeAll(() => {
  api = new EtcdApi(etcd.endpoint)
})
afterAll(() => api.close())

const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64')

async function put(key: string, value: string | Uint8Array, lease = '0'): Promise<void> {
  await api.get('KV/Put', { key: base64(key), value: base64(value), lease: String(BigInt(`0x${lease}`)) })
}

const REGISTRIES = LAYOUTS.filter(({ isConfiguration }) => !isConfiguration)

/**
 * An example of a layout, if possible of an endpoint that clients dial: for an endpoint that is not dialled, a changed
 * weight is not a weight event.
 */
function exampleOf({ name }: Layout): Pick<Example, 'key' | 'value'> {
  const examples = LAYOUT_VECTORS.find(({ id }) => id === name)?.examples ?? []
  const recordIn = ({ key, value }: Example) => {
    const found = detect(key, Buffer.from(value))
    return found?.layout.name === name && found.decoded.kind === 'endpoints' ? found.decoded.records[0] : null
  }
  const registrations = examples.filter((example) => recordIn(example) !== null)
  const example = registrations.find((one) => !recordIn(one)?.problem) ?? registrations[0]
  if (!example) throw new Error(`no example of ${name}`)
  return example
}

describe('history reports every type of change', () => {
  test.each(REGISTRIES.map((layout) => [layout.name, layout] as const))(
    'in the layout %s',
    async (name, layout) => {
      const { key, value } = exampleOf(layout)
      const before = await revision(etcd)
      const lease = await grantLease(etcd, 100)
      const changed =
        layout.weightless === null ? layout.withWeight(Buffer.from(value), 5) : Buffer.from(value)
      await put(key, value)
      await put(key, changed)
      await put(key, changed, lease)
      await api.get('KV/DeleteRange', { key: base64(key) })
      const { stdout, stderr, code } = await tool.run('history', '--since', String(before), '-o', 'ndjson')
      expect(code, stderr).toBe(0)
      const changes = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as ChangeDoc)
      const [{ addr = '' } = {}] = changes
      const own = changes.filter((change) => change.addr === addr)
      const of = { key, layout: name }
      expect(own).toMatchObject([
        { ...of, type: 'added', rev: String(before + 1), lease: null },
        layout.weightless === null
          ? { ...of, type: 'weight', rev: String(before + 2), to: 5 }
          : { ...of, type: 'updated', rev: String(before + 2), fields: [] },
        {
          ...of,
          type: 'updated',
          rev: String(before + 3),
          lease,
          fields: [{ field: 'lease', from: null, to: lease }],
        },
        { ...of, type: 'gone', rev: String(before + 4), reason: 'unknown', lease },
      ])
    },
  )
})

/** Changes the weight of one endpoint `times` times, each in a revision of its own, with 20 concurrent writers. */
async function change(times: number): Promise<void> {
  const [key, value] = registration('many', '127.0.0.1:1')
  let left = times
  const write = async () => {
    while (left-- > 0) await put(key, value.replace('"weight":1', `"weight":${left}`))
  }
  await Promise.all(Array.from({ length: 20 }, write))
}

describe('a long history', () => {
  test('is complete despite cut connections, with each change once and in order', async () => {
    const before = await revision(etcd)
    await change(3_500)
    await using proxy = await FaultProxy.start(etcd.endpoint)
    await using registry = await openRegistry([proxy.endpoint])
    proxy.cutAfter('toClient', 300_000, 3)
    const history = await openHistory(registry, 'many')
    const revisions: number[] = []
    for await (const part of history.changes({ after: before })) {
      if (part.type === 'events') for (const event of part.events) revisions.push(event.revision)
    }
    expect(proxy.cuts).toBeGreaterThan(0)
    expect(revisions).toEqual(Array.from({ length: 3_500 }, (_, at) => before + 1 + at))
  })

  test('has every change of transactions that change many endpoints at once', async () => {
    using writer = new Writer(etcd.endpoint, 'many')
    const before = await revision(etcd)
    const ports = Array.from({ length: 100 }, (_, at) => at)
    for (let weight = 1; weight <= 30; weight++) await writer.putTogether(ports, weight)
    const { stdout, code } = await tool.run('history', 'many', '--since', String(before), '-o', 'ndjson')
    expect(code).toBe(0)
    const changes = stdout.trimEnd().split('\n')
    const shown = changes.map((line) => {
      const { rev, type, addr, ...change } = JSON.parse(line) as ChangeDoc & { from?: number }
      return `${rev} ${type} ${addr} ${change.from}`
    })
    const expected = Array.from({ length: 30 }, (_, at) => {
      const [type, from] = at === 0 ? ['added', undefined] : ['weight', at]
      return ports.map((port) => `${before + 1 + at} ${type} 10.0.0.1:${1_000 + port} ${from}`)
    })
    expect(shown).toEqual(expected.flat())
  })

  test('ends without an error when its reader has exited', async () => {
    await change(3_500)
    for (const format of ['table', 'json', 'ndjson']) {
      const ran = await disco.into('pipe', 'head -1', 'history', 'many', '-o', format).exited()
      expect(ran.code, format).toBe(0)
      expect(ran.stdout.trimEnd().split('\n'), format).toHaveLength(1)
      expect(ran.stderr, format).not.toContain('✗')
    }
  })

  test('ends with a complete document and exit code 130 on Ctrl-C', async () => {
    await change(3_500)
    await using proxy = await FaultProxy.start(etcd.endpoint)
    // The proxy holds back most of the answer, so that the command is still reading.
    proxy.holdAfter('toClient', 400_000)
    const reading = disco.start('history', 'many', '--json', '--endpoints', proxy.endpoint)
    await reading.printed('"type": "weight"', 100)
    const { code, stdout } = await reading.end('SIGINT')
    expect(code).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, changes: { 0: { service: 'many' } } })
  })

  test('exits 130 on Ctrl-C before etcd has answered', async () => {
    await using proxy = await FaultProxy.start(etcd.endpoint)
    proxy.blackhole()
    const reading = disco.start('history', '--endpoints', proxy.endpoint)
    await until(
      () => proxy.accepted > 0,
      () => 'the connection of disco history',
    )
    expect(await reading.end('SIGINT')).toMatchObject({ code: 130, stdout: '' })
  })
})
