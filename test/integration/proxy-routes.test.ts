import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { findPolicy } from '../../src/policies/index.js'
import { FourKinds, unary } from '../support/four-kinds.js'
import { proxies } from '../support/proxied.js'

const started = proxies()

const backends: FourKinds[] = []
afterEach(() => {
  for (const backend of backends.splice(0)) backend.stop()
})

describe('several targets of a proxy', () => {
  it('are routed by authority, with or without a port', async () => {
    const [a, b] = [await backend(), await backend()]
    const proxied = await started([{ addr: a.addr }], {
      targets: ['hello', `ipv4:${b.addr}`],
      route: 'authority',
    })
    const at = async (authority: string) => unary(proxied.client({ 'grpc.default_authority': authority }))
    expect((await at('hello')).addr).toBe(a.addr)
    expect((await at('hello:9000')).addr).toBe(a.addr)
    expect(await at('payments')).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: `The proxy has no route for the authority "payments". Available: hello, ${b.addr}`,
    })
    expect(proxied.ends.at(-1)).toMatchObject({ service: null, upstream: null, code: status.UNIMPLEMENTED })
  })

  it('are routed by the gRPC service in the path', async () => {
    const a = await backend()
    const proxied = await started([{ addr: a.addr }], { route: new Map([['test.Kinds', 'hello']]) })
    expect((await unary(proxied.client())).addr).toBe(a.addr)
    const other = await started([{ addr: a.addr }], { route: new Map([['test.Other', 'hello']]) })
    expect(await unary(other.client())).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: 'The proxy has no route for the gRPC service "test.Kinds". Available: test.Other',
    })
  })
})

it('a service name of the maximum header length also gets a status', async () => {
  const a = await backend()
  const proxied = await started([{ addr: a.addr }], { route: new Map([['test.Kinds', 'hello']]) })
  const same = (bytes: Buffer) => bytes
  const failure = await new Promise<ServiceError | null>((resolve) => {
    const path = `/${'%'.repeat(50_000)}/Get`
    proxied.client().makeUnaryRequest(path, same, same, Buffer.alloc(0), resolve)
  })
  expect(failure?.code).toBe(status.UNIMPLEMENTED)
  expect(failure?.details).toContain('Available: test.Kinds')
})

it('the proxy serves only the endpoints in ?select= of a target', async () => {
  const [a, b] = [await backend(), await backend()]
  const proxied = await started(
    [
      { addr: a.addr, version: '1.0.0' },
      { addr: b.addr, version: '2.0.0' },
    ],
    { targets: ['etcd:///hello?select=version%5E2'] },
  )
  const client = proxied.client()
  for (let call = 0; call < 4; call++) expect((await unary(client)).addr).toBe(b.addr)
})

describe('headers of a call to the proxy choose the endpoint', () => {
  it('by a hash key, which is not forwarded to the backend', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, backend))
    const policy = findPolicy('ring_hash').configure({})
    const proxied = await started(
      all.map(({ addr }) => ({ addr })),
      { policy },
    )
    const client = proxied.client()
    const chosen = new Map<string, Set<string>>()
    for (let call = 0; call < 40; call++) {
      const key = `user-${call % 8}`
      const { addr } = await unary(client, { metadata: header('disco-hash-key', key) })
      chosen.set(key, (chosen.get(key) ?? new Set()).add(addr))
    }
    expect([...chosen.values()].map(({ size }) => size)).toEqual(Array.from({ length: 8 }, () => 1))
    expect(new Set([...chosen.values()].flatMap((addrs) => [...addrs])).size).toBeGreaterThan(1)
    expect(all.flatMap(({ lastMetadata }) => lastMetadata.of?.get('disco-hash-key') ?? [])).toEqual([])
  })

  it('by a pin', async () => {
    const all = await Promise.all(Array.from({ length: 3 }, backend))
    const policy = findPolicy('pinned').configure({})
    const proxied = await started(
      all.map(({ addr }) => ({ addr })),
      { policy },
    )
    const client = proxied.client()
    for (const { addr } of all) {
      expect((await unary(client, { metadata: header('disco-pin', addr) })).addr).toBe(addr)
    }
    expect(await unary(client, { metadata: header('disco-pin', '127.0.0.1:9') })).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'The pinned endpoint 127.0.0.1:9 is not in the list',
    })
  })

  it('by the address of the caller under source_hash', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, backend))
    const policy = findPolicy('source_hash').configure({})
    const proxied = await started(
      all.map(({ addr }) => ({ addr })),
      { policy },
    )
    const answers = new Set<string>()
    for (let call = 0; call < 8; call++) answers.add((await unary(proxied.client())).addr)
    expect(answers.size).toBe(1)
  })
})

function header(name: string, value: string): Metadata {
  const metadata = new Metadata()
  metadata.set(name, value)
  return metadata
}

async function backend(): Promise<FourKinds> {
  const one = await FourKinds.start()
  backends.push(one)
  return one
}
