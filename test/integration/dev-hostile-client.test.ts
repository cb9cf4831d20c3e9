import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DevRegistry, startDevRegistry } from '../../src/dev/etcd/server.js'
import { EtcdApi } from '../support/etcd-api.js'

const GRPC = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

/** A gRPC message: not compressed, then its length, then its body. */
function message(body: readonly number[], flag = 0): Buffer {
  return Buffer.from([flag, 0, 0, 0, body.length, ...body])
}

describe('the dev registry survives a client', () => {
  let registry: DevRegistry
  let session: ClientHttp2Session
  beforeEach(async () => {
    registry = await startDevRegistry({ host: '127.0.0.1', port: 0 })
    session = connect(`http://${registry.endpoint}`)
    session.on('error', () => {})
  })
  afterEach(async () => {
    session.destroy()
    // The registry still answers after each test.
    const api = new EtcdApi(registry.endpoint)
    const outcome = await api.call('KV/Put', { key: 'YQ==', value: '' })
    api.close()
    await registry.close()
    expect(outcome).toHaveProperty('ok')
  })

  /** The status of a call, from its headers or its trailers. */
  async function statusOf(path: string, payload: Buffer): Promise<string> {
    const stream = session.request({ ...GRPC, ':path': path })
    let status = ''
    const take = (headers: Readonly<Record<string, unknown>>): void => {
      status ||= String(headers['grpc-status'] ?? '')
    }
    stream.on('response', take).on('trailers', take).resume().end(payload)
    await once(stream, 'close')
    return status
  }

  it('that sends a message that is not protobuf', async () => {
    expect(await statusOf('/etcdserverpb.KV/Put', message([0x0a, 0x7f, 0x01]))).toBe('13')
    expect(await statusOf('/etcdserverpb.KV/Put', message([0xff, 0xff, 0xff]))).toBe('13')
    expect(await statusOf('/etcdserverpb.Watch/Watch', message([0x0a, 0x7f, 0x01]))).toBe('13')
  })

  it('that sends a compressed message, or a message above the size limit', async () => {
    expect(await statusOf('/etcdserverpb.KV/Put', message([], 1))).toBe('12')
    expect(await statusOf('/etcdserverpb.KV/Put', Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))).toBe('8')
    expect(await statusOf('/etcdserverpb.Watch/Watch', Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))).toBe('8')
  })

  it('that does not speak gRPC', async () => {
    const stream = session.request({ ':method': 'GET', ':path': '/health' })
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    expect(headers[':status']).toBe(415)

    const [host, port] = registry.endpoint.split(':')
    const http1 = httpRequest({ host, port, path: '/health' }).end()
    await once(http1, 'error')
    const raw = connectTcp(Number(port), host)
    raw.on('error', () => {}).end(Buffer.alloc(1000, 'x'))
    await once(raw.resume(), 'close')
  })

  it('that cancels calls at any moment', async () => {
    const paths = [
      '/etcdserverpb.KV/Put',
      '/etcdserverpb.Watch/Watch',
      '/etcdserverpb.Lease/LeaseKeepAlive',
      '/none',
    ]
    for (let index = 0; index < 400; index++) {
      const stream = session.request({ ...GRPC, ':path': paths[index % paths.length] })
      stream.on('error', () => {})
      stream.write(message([0x0a, 0x01, 0x61]))
      if (index % 3 === 0) stream.close(constants.NGHTTP2_CANCEL)
      else if (index % 3 === 1) setImmediate(() => stream.close(constants.NGHTTP2_CANCEL))
      else delay(1).then(() => stream.close(constants.NGHTTP2_CANCEL))
      if (index % 50 === 0) await delay(2)
    }
    await delay(20)
  })

  it('that closes its connection during a watch', async () => {
    const stream = session.request({ ...GRPC, ':path': '/etcdserverpb.Watch/Watch' })
    stream.on('error', () => {})
    // Creates a watcher of all keys: key and range_end are both one zero byte.
    stream.write(message([0x0a, 0x06, 0x0a, 0x01, 0x00, 0x12, 0x01, 0x00]))
    await once(stream, 'data')
    session.destroy()
    await delay(20)
  })
})
