import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevRegistry, startDevRegistry } from '../../src/dev/etcd/server.js'
import { Comparison } from '../fuzz/compare.js'
import { isComparable } from '../fuzz/differences.js'
import { learn, nothingKnown } from '../fuzz/fuzz.js'
import { Side } from '../fuzz/side.js'
import { bytes } from '../fuzz/steps.js'
import { RealEtcd } from '../support/etcd.js'
import { EtcdApi, type Message } from '../support/etcd-api.js'
import { etcdVersion } from '../support/etcd-binary.js'
import { FROM_KEY, put, range, scripts } from './dev-scripts.js'

describe('the dev registry answers like etcd', () => {
  it.for(Object.entries(scripts))('%s', async ([, steps]) => {
    await using etcd = await RealEtcd.start()
    const ours = await startDevRegistry({ host: '127.0.0.1', port: 0, minLeaseTtlSeconds: 1 })
    const sides = [new Side(etcd.endpoint), new Side(ours.endpoint)] as const
    try {
      const comparison = new Comparison(...sides)
      const known = nothingKnown()
      let start = 0
      for (const [index, step] of steps.entries()) {
        if (step.do !== 'settle' && index < steps.length - 1) continue
        const part = steps.slice(start, index + 1).filter((each) => isComparable(etcdVersion(), each, known))
        const result = await comparison.run(part)
        expect(result).not.toHaveProperty('difference')
        if ('answers' in result) learn(known, part, result.answers)
        start = index + 1
      }
    } finally {
      for (const side of sides) side.close()
      await ours.close()
    }
  })
})

describe('watch progress notifications', () => {
  const starts: ReadonlyArray<readonly [string, () => Promise<{ endpoint: string; stop(): Promise<void> }>]> =
    [
      ['etcd', () => RealEtcd.start({ args: ['--experimental-watch-progress-notify-interval', '200ms'] })],
      [
        'the dev registry',
        async () => {
          const registry = await startDevRegistry({ host: '127.0.0.1', port: 0, watchProgressPeriodMs: 200 })
          return { endpoint: registry.endpoint, stop: () => registry.close() }
        },
      ],
    ]

  it.for(starts)('of %s are sent to idle watchers that requested them', async ([, start]) => {
    const server = await start()
    const api = new EtcdApi(server.endpoint)
    try {
      const { header } = await api.get('KV/Put', put('elsewhere'))
      const stream = api.stream('Watch/Watch').on('error', () => {})
      const responses: Message[] = []
      await new Promise<void>((resolve) => {
        stream.on('data', (response: Message) => {
          if (!response.created) responses.push(response)
          if (responses.length === 3) resolve()
        })
        stream.write({ create_request: { ...range('a'), watch_id: '1' } })
        stream.write({ create_request: { ...range('a'), watch_id: '2', progress_notify: true } })
      })
      for (const response of responses) {
        expect(response).toMatchObject({ watch_id: '2', events: [], canceled: false, compact_revision: '0' })
        expect(response.header).toMatchObject({ revision: (header as Message).revision })
      }
      stream.cancel()
    } finally {
      api.close()
      await server.stop()
    }
  })
})

describe('a progress request on a stream without watchers', () => {
  const starts: ReadonlyArray<readonly [string, () => Promise<{ endpoint: string; stop(): Promise<void> }>]> =
    [
      ['etcd 3.5', () => RealEtcd.start({ version: '3.5' })],
      [
        'the dev registry',
        async () => {
          const registry = await startDevRegistry({ host: '127.0.0.1', port: 0 })
          return { endpoint: registry.endpoint, stop: () => registry.close() }
        },
      ],
    ]

  it.for(starts)('is not answered by %s', async ([, start]) => {
    const server = await start()
    const api = new EtcdApi(server.endpoint)
    try {
      const stream = api.stream('Watch/Watch').on('error', () => {})
      const first = new Promise<Message>((resolve) => stream.once('data', resolve))
      stream.write({ progress_request: {} })
      stream.write({ create_request: { ...range('a'), watch_id: '1' } })
      expect(await first).toMatchObject({ watch_id: '1', created: true })
      stream.cancel()
    } finally {
      api.close()
      await server.stop()
    }
  })
})

describe('the dev registry, deliberately unlike etcd,', () => {
  let registry: DevRegistry
  let api: EtcdApi
  beforeAll(async () => {
    registry = await startDevRegistry({ host: '127.0.0.1', port: 0 })
    api = new EtcdApi(registry.endpoint)
  })
  afterAll(async () => {
    api.close()
    await registry.close()
  })

  it('compacts a revision that deleted a key and put it again, which makes etcd 3.5 panic', async () => {
    await api.get('KV/Put', put('rewritten'))
    const { header } = await api.get('KV/Txn', {
      success: [
        { request_delete_range: { key: bytes('rewritten'), range_end: FROM_KEY } },
        { request_put: put('rewritten') },
      ],
    })
    const { revision } = header as { revision: string }
    expect(await api.call('KV/Compact', { revision, physical: true })).toHaveProperty('ok')
    const { kvs } = await api.get('KV/Range', { ...range('rewritten'), revision })
    expect(kvs).toMatchObject([{ mod_revision: revision, version: '1' }])
  })

  it('refuses a transaction that makes etcd panic, without any effect', async () => {
    await api.get('KV/Put', put('a'))
    const before = await api.get('KV/Range', { key: FROM_KEY, range_end: FROM_KEY })
    const outcome = await api.call('KV/Txn', {
      success: [
        { request_put: put('b') },
        { request_delete_range: { key: bytes('a'), range_end: FROM_KEY } },
        { request_put: { key: bytes('a'), ignore_value: true } },
      ],
    })
    expect(outcome).toEqual({ refused: { code: 'INVALID_ARGUMENT', text: 'etcdserver: key not found' } })
    expect(await api.get('KV/Range', { key: FROM_KEY, range_end: FROM_KEY })).toEqual(before)
  })

  it('names a method that it does not implement', async () => {
    const { refused } = (await api.call('Maintenance/Defragment', {})) as { refused: Message }
    expect(refused.code).toBe('UNIMPLEMENTED')
    expect(refused.text).toContain('etcdserverpb.Maintenance/Defragment')
  })

  it('fails to listen with the error code of the operating system', async () => {
    const onTakenPort = startDevRegistry({ host: '127.0.0.1', port: registry.port })
    await expect(onTakenPort).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const elsewhere = startDevRegistry({ host: '192.0.2.1', port: 0 })
    await expect(elsewhere).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })
})
