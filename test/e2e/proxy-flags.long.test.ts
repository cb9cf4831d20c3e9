import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProxyDoc } from '../../src/cli/proxy/document.js'
import { until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { FourKinds, unary } from '../support/four-kinds.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

describe('disco proxy', () => {
  it('--policy pinned sends each call to the endpoint in its header, and needs no --pin', async () => {
    const [one, other] = await registered(2)
    const { client } = await proxied('hello', '--policy', 'pinned')
    expect(await unary(client)).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'The call is not pinned to an endpoint: set the header disco-pin, or --pin for all calls',
    })
    for (const { addr } of [one, other, one]) {
      const metadata = new Metadata()
      metadata.set('disco-pin', addr)
      expect(await unary(client, { metadata })).toMatchObject({ code: status.OK, addr })
    }
  })

  it('--wait lets a call wait for an endpoint; without it the call fails at once', async () => {
    const patient = await proxied('late', '--wait', '30s')
    const hasty = await proxied('late')
    expect((await unary(hasty.client)).code).toBe(status.UNAVAILABLE)
    const waiting = unary(patient.client)
    const one = await backend()
    await putAll(etcd, 'late', [{ addr: one.addr }])
    expect(await waiting).toMatchObject({ code: status.OK, addr: one.addr })
  })

  it('--drain 0 ends running calls, and the exit code is still 0', async () => {
    const [one] = await registered(1)
    const { proxy, client } = await proxied('hello', '--drain', '0')
    one.isHoldingBack = true
    const held = unary(client)
    await until(
      () => one.held === 1,
      () => 'the call',
    )
    expect((await proxy.end('SIGTERM')).code).toBe(0)
    expect((await held).code).toBe(status.UNAVAILABLE)
  })

  it('--access-log appends a line for each call, and is refused at the start if the file cannot be written', async () => {
    const [one] = await registered(1)
    const folder = mkdtempSync(join(tmpdir(), 'disco-log-'))
    stops.push(() => rmSync(folder, { recursive: true, maxRetries: 5 }))
    const log = join(folder, 'access.log')
    const { proxy, client } = await proxied('hello', '--access-log', log, '--replay-bytes', '0')
    await unary(client)
    await proxy.end('SIGTERM')
    expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({ endpoint: one.addr, status: 'OK' })
    for (const [file, why] of [
      [join(folder, 'no', 'such.log'), 'no such file or directory'],
      [folder, 'it is a directory'],
    ]) {
      const { code, stderr } = await disco.run('proxy', 'hello', '--listen', ':0', '--access-log', file ?? '')
      expect(stderr).toContain(`The access log cannot be written: ${why}`)
      expect(code).toBe(2)
    }
  })

  it('-o ndjson prints the same document as --json', async () => {
    await registered(1)
    const proxy = disco.start('proxy', 'hello', '--listen', ':0', '-o', 'ndjson')
    await proxy.printed('disco.proxy/v1')
    expect(JSON.parse(proxy.stdout)).toMatchObject({ services: [{ endpoints: 1, ready: 1 }] })
  })

  it.each([
    ['', 'Missing argument: a service, or a target'],
    ['hello --route x', 'Invalid --route "x": expected authority, or a route'],
    ['--route a.B=etcd://', 'The target has no service: "//", from --route'],
    ['hello --route authority --route a.B=hello', '--route authority does not go with --route'],
    ['hello --route a.B=other', 'No --route leads to the target "hello"'],
    ['--route a.B=one --route a.B=two', 'Two routes for the gRPC service "a.B"'],
    ['hello --pin a', '--pin has no effect with policy weighted_round_robin'],
    ['hello --replay-bytes 9MiB', 'expected a size from 0B to 8MiB'],
    ['hello --wait -1s', 'Invalid --wait "-1s"'],
    ['hello --max-connection-age 0', 'Invalid --max-connection-age "0"'],
    ['hello --listen nowhere', 'Invalid --listen "nowhere"'],
    ['hello --admin-token-file x', '--admin-token-file needs --admin'],
    ['hello --admin 0.0.0.0:1', '--admin needs --admin-token-file'],
    ['hello --listen-client-ca x', '--listen-client-ca needs --listen-cert and --listen-key'],
    ['hello --listen-key x', 'TLS to callers needs both'],
    ['hello --tls-cert x', 'needs both --tls-cert and --tls-key'],
    ['hello --tls-ca /no/such/file', 'Cannot read /no/such/file'],
  ])('refuses "%s"', async (line, words) => {
    const { code, stderr } = await tool.run('proxy', ...line.split(' ').filter(Boolean))
    expect(stderr).toContain(words)
    expect(code).toBe(2)
  })
})

async function registered(count: 1): Promise<[FourKinds]>
async function registered(count: 2): Promise<[FourKinds, FourKinds]>
async function registered(count: number): Promise<FourKinds[]> {
  const backends = await Promise.all(Array.from({ length: count }, backend))
  await putAll(
    etcd,
    'hello',
    backends.map(({ addr }) => ({ addr })),
  )
  return backends
}

async function backend(): Promise<FourKinds> {
  const one = await FourKinds.start()
  stops.push(() => one.stop())
  return one
}

async function proxied(...args: string[]) {
  const proxy = disco.start('proxy', ...args, '--listen', ':0', '--json')
  await proxy.printed('disco.proxy/v1')
  const { listen } = JSON.parse(proxy.stdout) as ProxyDoc
  const client = new Client(listen, credentials.createInsecure())
  stops.push(() => client.close())
  return { proxy, client }
}
