import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KeyPairFiles } from '../support/certificates.js'
import { putAll } from '../support/etcd-state.js'
import { mutualFlags, TlsServers } from '../support/tls-servers.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()
let servers: TlsServers
beforeAll(async () => {
  servers = await TlsServers.start()
})
afterAll(() => servers[Symbol.asyncDispose]())

const ca = () => ['--tls-ca', servers.authority.caFile]
const mutual = (pair: KeyPairFiles) => mutualFlags(servers.authority, pair)

/** What each command says of the one endpoint. */
async function verdicts(addr: string, args: readonly string[]): Promise<Record<string, string>> {
  await putAll(etcd, 'hello', [{ addr }])
  const health = JSON.parse((await tool.run('health', 'hello', '--json', ...args)).stdout)
  const ls = JSON.parse((await tool.run('ls', 'hello', '--probe', '--json', ...args)).stdout)
  const wait = await tool.run('wait', 'hello', '--for', 'healthy>=1', '--timeout', '0', '--json', ...args)
  const call = await tool.run('call', 'hello', 'SayHello', '--connect-deadline', '1s', '--json', ...args)
  return {
    health: health.endpoints[0].problem ?? health.endpoints[0].status,
    ls: ls.endpoints[0].health,
    wait: wait.code === 0 ? 'SERVING' : hintAbout(addr, wait.stdout),
    call: call.code === 0 ? 'SERVING' : hintAbout(addr, call.stdout),
  }
}

function hintAbout(addr: string, stdout: string): string {
  const { hint } = (JSON.parse(stdout) as { error: { hint: string } }).error
  const line = hint.split('\n').find((text) => text.startsWith(addr)) ?? hint
  return line.slice(addr.length + 1)
}

describe('health, ls --probe, wait and call dial by TLS, and name a mismatch by one sentence', () => {
  type Whom = keyof TlsServers['greeters']
  const cases: [what: string, whom: Whom, args: () => string[], says: string][] = [
    ['a private CA', 'tls', ca, 'SERVING'],
    ['another name', 'tls', () => [...ca(), '--tls-name', 'other.example'], 'SERVING'],
    ['a client certificate', 'mutual', () => mutual(servers.clients.client), 'SERVING'],
    ['plaintext to TLS', 'tls', () => [], 'speaks TLS (try --tls)'],
    ['TLS to plaintext', 'plain', () => ['--tls'], 'speaks plaintext (leave --tls out)'],
    [
      'another CA',
      'tls',
      () => ['--tls-ca', servers.stranger.caFile],
      'has a certificate of another CA (try --tls-ca FILE)',
    ],
    ["the system's CAs", 'tls', () => ['--tls'], 'has a certificate of another CA (try --tls-ca FILE)'],
    [
      'a wrong name',
      'tls',
      () => [...ca(), '--tls-name', 'wrong.example'],
      'has a certificate for DNS:hello, DNS:other.example, not for wrong.example (try --tls-name)',
    ],
    [
      'a wrong address',
      'tls',
      () => [...ca(), '--tls-name', '127.0.0.2'],
      'has a certificate for no IP address, not for 127.0.0.2 (try --tls-name)',
    ],
    ['an expired certificate', 'past', ca, 'has a certificate that has expired'],
    [
      'no client certificate',
      'mutual',
      ca,
      'wants a client certificate, or another one (--tls-cert, --tls-key)',
    ],
    [
      'a client certificate that has expired',
      'mutual',
      () => mutual(servers.clients.expired),
      'refuses our client certificate: it has expired (--tls-cert)',
    ],
    [
      'a client certificate of another CA',
      'mutual',
      () => mutual(servers.clients.foreign),
      'drops the TLS connection: it may want a client certificate, or another one (--tls-cert, --tls-key)',
    ],
  ]
  test.each(cases)('%s', async (_what, whom, args, says) => {
    const found = await verdicts(servers.greeters[whom].addr, args())
    expect(found).toEqual({ health: says, ls: says, wait: says, call: says })
  })
})

/** A Kratos instance, which names the scheme of its server. */
async function putKratos(url: string): Promise<void> {
  const instance = { id: 'a', name: 'hello', version: '', metadata: null, endpoints: [url] }
  await etcd.ctl('put', '/microservices/hello/a', JSON.stringify(instance))
}

test('an endpoint that is registered as grpcs:// is asked by TLS without a flag, with the CAs of the system', async () => {
  const { addr } = servers.greeters.tls
  await putKratos(`grpcs://${addr}`)
  const unknown = await tool.run('health', 'hello')
  expect(unknown.stdout).toContain('has a certificate of another CA (try --tls-ca FILE)')
  const trusting = disco.with({ env: { NODE_EXTRA_CA_CERTS: servers.authority.caFile } })
  expect(await trusting.run('health', 'hello')).toMatchObject({ code: 0 })
  const all = await tool.run('ls', '--probe', ...ca())
  expect(all.stdout).toMatch(/hello .* 1\/1/)
  await putKratos(`grpc://${addr}`)
  expect((await tool.run('health', 'hello')).stdout).toContain('speaks TLS (try --tls)')
})

describe('flags that have no effect, and files that cannot be used, are refused before anything is asked', () => {
  test.each([
    [['ls', '--tls'], '--tls has no effect without --probe'],
    [['ls', '-H', 'a=b'], '--header has no effect without --probe'],
    [
      ['wait', 'hello', '--for', 'endpoints>=1', '--tls-ca', 'ca.pem'],
      '--tls-ca has no effect without a condition on ready or healthy',
    ],
    [['register', 'hello', ':1', '--tls'], '--tls has no effect without --probe'],
    [['register', 'hello', ':1', '--probe', 'tcp', '-H', 'a=b'], '--header has no effect with --probe tcp'],
    [
      ['register', 'hello', ':1', '--probe', 'http://:1/', '--tls-name', 'x'],
      '--tls-name has no effect with --probe http://: https:// asks by TLS',
    ],
    [['health', 'hello', '--tls-ca', '/no/such.pem'], 'Cannot read /no/such.pem'],
    [['health', 'hello', '--tls-cert', 'a.pem'], 'needs both --tls-cert and --tls-key'],
    [
      ['register', 'hello', ':1', '--probe', 'https://:1/', '--tls-key', 'a.pem'],
      'needs both --tls-cert and --tls-key',
    ],
    [['call', 'hello', '--tls-name='], '--tls-name is empty'],
  ])('%j', async (args, says) => {
    const ran = await tool.run(...args)
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain(says)
  })
})
