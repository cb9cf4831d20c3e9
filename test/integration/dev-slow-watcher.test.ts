import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DevRegistry, startDevRegistry } from '../../src/dev/etcd/server.js'
import { EtcdApi, type Message } from '../support/etcd-api.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Forty values of this size exceed what the registry buffers for one stream. */
const VALUE = Buffer.alloc(1024 * 1024, 'x').toString('base64')
const PUTS = 40

describe('a watcher of the dev registry that stops reading', () => {
  let registry: DevRegistry
  let api: EtcdApi
  beforeEach(async () => {
    registry = await startDevRegistry({ host: '127.0.0.1', port: 0 })
    api = new EtcdApi(registry.endpoint)
  })
  afterEach(async () => {
    api.close()
    await registry.close()
  })

  const putMany = async (): Promise<string[]> => {
    const revisions: string[] = []
    for (let index = 0; index < PUTS; index++) {
      const { header } = await api.get('KV/Put', { key: base64(`key ${index % 3}`), value: VALUE })
      revisions.push((header as { revision: string }).revision)
    }
    return revisions
  }

  it('receives every event once and in order when it continues', async () => {
    const stream = api.stream('Watch/Watch').on('error', () => {})
    const revisions: string[] = []
    await new Promise<void>((resolve) => {
      stream.on('data', ({ created, events }: { created: boolean; events: Array<{ kv: Message }> }) => {
        if (created) resolve()
        for (const { kv } of events) revisions.push(String(kv.mod_revision))
      })
      stream.write({ create_request: { key: base64('key'), range_end: base64('key~') } })
    })
    stream.pause()
    const expected = await putMany()
    expect(revisions.length).toBeLessThan(PUTS)
    stream.resume()
    while (revisions.length < PUTS) await delay(10)
    expect(revisions).toEqual(expected)
    stream.cancel()
  })

  it('receives an error if the missed events were compacted meanwhile', async () => {
    const stream = api.stream('Watch/Watch').on('error', () => {})
    const responses: Message[] = []
    await new Promise<void>((resolve) => {
      stream.on('data', (response: Message) => {
        responses.push(response)
        resolve()
      })
      stream.write({ create_request: { key: base64('key'), range_end: base64('key~') } })
    })
    stream.pause()
    const last = (await putMany()).at(-1)
    await api.get('KV/Compact', { revision: last })
    stream.resume()
    while (responses.at(-1)?.canceled !== true) await delay(10)
    expect(responses.at(-1)?.compact_revision).toBe(last)
    stream.cancel()
  })
})
