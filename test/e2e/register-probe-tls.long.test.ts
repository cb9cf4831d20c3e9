import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KeyPairFiles } from '../support/certificates.js'
import { putAll, storedText, untilStored } from '../support/etcd-state.js'
import { mutualFlags, TlsServers } from '../support/tls-servers.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()
let servers: TlsServers
beforeAll(async () => {
  servers = await TlsServers.start()
})
afterAll(() => servers[Symbol.asyncDispose]())

const ca = () => ['--tls-ca', servers.authority.caFile]
const mutual = (pair: KeyPairFiles) => mutualFlags(servers.authority, pair)

describe('register --probe', () => {
  const OFTEN = ['--probe-interval', '50ms', '--probe-timeout', '30s', '--ttl', '60']

  /** Starts a registrar for an address at which a server of the test listens. */
  function register(addr: string, ...args: string[]) {
    return disco.start('register', 'hello', addr, ...OFTEN, ...args)
  }

  test('grpc uses TLS with a CA, a name and a client certificate, and names a wrong name', async () => {
    const { addr } = servers.greeters.mutual
    const wrong = register(
      addr,
      '--probe',
      'grpc',
      ...mutual(servers.clients.client),
      '--tls-name',
      'x.example',
      '--probe-start',
      '1s',
    )
    const args = ['--probe', 'grpc', ...mutual(servers.clients.client), '--tls-name', 'other.example']
    const held = register(addr, ...args, '--', 'sleep', '60')
    await held.printed('✓ SERVING after')
    await held.end('SIGTERM')
    const { code, stderr } = await wrong.exited()
    expect(code).toBe(5)
    expect(stderr).toContain(
      'has a certificate for DNS:hello, DNS:other.example, not for x.example (try --tls-name)',
    )
  })

  test('grpc reads a client certificate again after it was renewed on disk', async () => {
    const { authority, clients, folder, greeters } = servers
    const [certFile, keyFile] = ['renewed.crt', 'renewed.key'].map((name) => join(folder, name))
    const install = (pair: KeyPairFiles) => {
      copyFileSync(pair.keyFile, keyFile ?? '')
      copyFileSync(pair.certFile, certFile ?? '')
    }
    install(clients.expired)
    const flags = mutualFlags(authority, { certFile: certFile ?? '', keyFile: keyFile ?? '' })
    const { addr } = greeters.mutual
    const held = register(addr, '--probe', 'grpc', ...flags)
    await putAll(etcd, 'other', [{ addr }])
    const watching = disco.start('health', 'other', '--watch', ...flags, '--tls-name', 'hello')
    await watching.printed('it has expired')
    expect(await storedText(etcd, `/hello/${addr}`)).toBe('')
    install(clients.client)
    await untilStored(etcd, `/hello/${addr}`)
    await watching.printed('"type":"healthy"')
    await watching.end('SIGINT')
    await held.end('SIGTERM')
  })

  /** Runs `use` with a web server that answers 200 and records the request headers. With options, it speaks TLS. */
  async function withWeb(
    options: ServerOptions | null,
    use: (port: number, seen: Seen[]) => Promise<void>,
  ): Promise<void> {
    const seen: Seen[] = []
    const answer = (request: { headers: NodeJS.Dict<string | string[]> }, response: { end(): void }) => {
      seen.push(request.headers)
      response.end()
    }
    const server: Server = options ? createServer(options, answer) : createHttpServer(answer)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    try {
      await use((server.address() as AddressInfo).port, seen)
    } finally {
      server.close()
    }
  }
  type Seen = NodeJS.Dict<string | string[]>

  test('https uses a private CA, a client certificate, headers and another Host header', async () => {
    const { authority, clients } = servers
    const { certFile, keyFile } = await authority.sign('web', ['web.example'])
    const files = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    const wantsClient = {
      ...files,
      ca: readFileSync(authority.caFile),
      requestCert: true,
      rejectUnauthorized: true,
    }
    await withWeb(wantsClient, async (port, seen) => {
      const addr = `127.0.0.1:${port}`
      const probe = ['--probe', `https://:${port}/live`]
      const named = [...probe, '--tls-name', 'web.example']
      const start = ['--probe-start', '1s']
      const failing: [args: string[], message: string][] = [
        [named, 'has a certificate of another CA (try --tls-ca FILE)'],
        [[...probe, ...ca()], 'has a certificate for no IP address, not for 127.0.0.1 (try --tls-name)'],
        [
          [...named, ...mutual(clients.expired)],
          'refuses our client certificate: it has expired (--tls-cert)',
        ],
        [['--probe', `http://:${port}/live`], 'speaks TLS (try https://)'],
      ]
      const ran = await Promise.all(failing.map(([args]) => register(addr, ...start, ...args).exited()))
      for (const [at, [, message]] of failing.entries()) {
        expect(ran[at]?.stderr).toContain(message)
        expect(ran[at]?.code).toBe(5)
      }
      expect(seen).toEqual([])
      const asked = ['-H', 'Authorization: Bearer t0ken', '-H', 'a=1', '--authority', 'live.example']
      const held = register(addr, ...named, ...mutual(clients.client), ...asked)
      await untilStored(etcd, `/hello/${addr}`)
      expect(seen[0]).toMatchObject({ authorization: 'Bearer t0ken', a: '1', host: 'live.example' })
      const { stdout, stderr } = await held.end('SIGTERM')
      expect(stdout + stderr).not.toContain('t0ken')
    })
  })

  test('https reports a server that speaks plaintext', async () => {
    await withWeb(null, async (port) => {
      const ran = await register(
        `127.0.0.1:${port}`,
        '--probe',
        `https://:${port}/`,
        '--probe-start',
        '1s',
      ).exited()
      expect(ran.code).toBe(5)
      expect(ran.stderr).toContain('speaks plaintext (try http://)')
    })
  })
})
