import { describe, expect, test } from 'vitest'
import { tlsVerdicts } from '../support/tls-verdicts.js'

const tls = await tlsVerdicts()

tls.describe([
  ['a private CA', 'tls', tls.ca, 'SERVING'],
  ['another name', 'tls', () => [...tls.ca(), '--tls-name', 'other.example'], 'SERVING'],
  ['a client certificate', 'mutual', () => tls.mutual(tls.servers.clients.client), 'SERVING'],
  ['plaintext to TLS', 'tls', () => [], 'speaks TLS (try --tls)'],
  [
    'a wrong name',
    'tls',
    () => [...tls.ca(), '--tls-name', 'wrong.example'],
    'has a certificate for DNS:hello, DNS:other.example, not for wrong.example (try --tls-name)',
  ],
  ['no client certificate', 'mutual', tls.ca, 'wants a client certificate (--tls-cert, --tls-key)'],
])

/** A Kratos registration, which names the URL scheme of its server. */
async function putKratos(url: string): Promise<void> {
  const instance = { id: 'a', name: 'hello', version: '', metadata: null, endpoints: [url] }
  await tls.etcd.ctl('put', '/microservices/hello/a', JSON.stringify(instance))
}

test('health connects by TLS to an endpoint registered as grpcs://, without a flag and with the CAs of the system', async () => {
  const { addr } = tls.servers.greeters.tls
  await putKratos(`grpcs://${addr}`)
  const unknown = await tls.tool.run('health', 'hello')
  expect(unknown.stdout).toContain('has a certificate of another CA (try --tls-ca FILE)')
  const trusting = tls.disco.with({ env: { NODE_EXTRA_CA_CERTS: tls.servers.authority.caFile } })
  expect(await trusting.run('health', 'hello')).toMatchObject({ code: 0 })
  const all = await tls.tool.run('ls', '--probe', ...tls.ca())
  expect(all.stdout).toMatch(/hello .* 1\/1/)
  await putKratos(`grpc://${addr}`)
  expect((await tls.tool.run('health', 'hello')).stdout).toContain('speaks TLS (try --tls)')
})

describe('flags without effect, and files that cannot be used, are refused before any request', () => {
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
  ])('%j', async (args, message) => {
    const ran = await tls.tool.run(...args)
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain(message)
  })
})
