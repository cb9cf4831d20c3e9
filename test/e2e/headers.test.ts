import { type Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HEALTH_PATHS, healthRequest, healthResponse } from '../../src/grpc/health/protocol.js'
import { putAll, untilStored } from '../support/etcd-state.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const SECRET = 's3cret-t0ken'

interface Asked {
  readonly authorization: unknown
  readonly host: string
}

/** A gRPC server that answers health checks only with the right `authorization` header. */
class GuardedServer {
  readonly asked: Asked[] = []
  addr = ''
  private readonly server = new Server()

  async start(): Promise<void> {
    const definition = {
      path: HEALTH_PATHS.Check,
      requestStream: false,
      responseStream: false,
      requestSerialize: healthRequest.encode,
      requestDeserialize: healthRequest.decode,
      responseSerialize: healthResponse.encode,
      responseDeserialize: healthResponse.decode,
    }
    const check = (
      call: { metadata: Metadata; getHost(): string },
      reply: (error: object | null, status?: string) => void,
    ) => {
      const [authorization] = call.metadata.get('authorization')
      this.asked.push({ authorization, host: call.getHost() })
      if (authorization === `Bearer ${SECRET}`) reply(null, 'SERVING')
      else reply({ code: status.UNAUTHENTICATED, details: 'no or wrong token' })
    }
    this.server.addService({ Check: definition }, { Check: check })
    const port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    )
    this.addr = `127.0.0.1:${port}`
  }

  stop(): void {
    this.server.forceShutdown()
  }
}

const server = new GuardedServer()
beforeAll(() => server.start())
afterAll(() => server.stop())
beforeEach(async () => {
  server.asked.length = 0
  await putAll(etcd, 'hello', [{ addr: server.addr }])
})

const ASKING: [name: string, ...args: string[]][] = [
  ['health', 'hello'],
  ['ls', 'hello', '--probe'],
  ['ls', '--probe'],
  ['wait', 'hello', '--for', 'healthy>=1', '--timeout', '0'],
]

describe('headers of health checks', () => {
  test.each(ASKING)(
    'of %s %s reach the server with -H and --authority; without them the server refuses',
    async (...args) => {
      const without = await tool.run(...args)
      expect(without.stdout + without.stderr).not.toContain('internal')
      expect(server.asked).toEqual([{ authorization: undefined, host: 'hello' }])
      server.asked.length = 0
      await using file = await temporaryFile('headers', `# of the test\nAuthorization: Bearer ${SECRET}\n`)
      const ran = await tool.run(...args, '-H', `@${file.path}`, '--authority', 'inner.example:1')
      expect(ran.code).toBe(0)
      expect(server.asked).toEqual([{ authorization: `Bearer ${SECRET}`, host: 'inner.example:1' }])
      expect(ran.stdout + ran.stderr).not.toContain(SECRET)
    },
  )

  test('of register --probe grpc reach the server, which is then registered', async () => {
    const args = ['--probe', 'grpc', '--probe-interval', '50ms', '-H', `authorization=Bearer ${SECRET}`]
    const held = disco.start('register', 'guarded', server.addr, ...args, '--debug')
    await untilStored(etcd, `/guarded/${server.addr}`)
    const { stdout, stderr } = await held.end('SIGTERM')
    expect(stdout + stderr).not.toContain(SECRET)
    expect(server.asked[0]).toEqual({ authorization: `Bearer ${SECRET}`, host: 'guarded' })
  })
})

describe('a header that cannot be sent is refused before any request, and its value is not printed', () => {
  const commands: [string, ...string[]][] = [
    ...ASKING,
    ['register', 'hello', ':1', '--probe', 'grpc'],
    ['register', 'hello', ':1', '--probe', 'http://:1/'],
    ['call', 'hello', 'SayHello'],
  ]
  const headers: [header: string, message: string][] = [
    [`te=${SECRET}`, '--header "te" is not allowed in HTTP/2'],
    [`Connection: ${SECRET}`, '--header "connection" is not allowed in HTTP/2'],
    [`grpc-timeout=${SECRET}`, '--header "grpc-timeout" has a key of gRPC’s own'],
    [`:path=${SECRET}`, '--header has no valid key'],
    [`${SECRET}/=`, '--header has no valid key'],
    [`Bearer ${SECRET}`, '--header has no valid key'],
    [`x-bin=${SECRET}?`, '--header "x-bin" is not base64'],
    [`x=${SECRET}\u00fc`, '--header "x" has characters that are not ASCII'],
  ]
  test.each(commands)('%s %s', async (...args) => {
    for (const [header, message] of headers) {
      const ran = await tool.run(...args, '-H', header, '--debug')
      expect(ran).toMatchObject({ code: 2, stdout: '' })
      expect(ran.stderr).toContain(message)
      expect(ran.stderr.toLowerCase()).not.toContain(SECRET)
    }
    expect(server.asked).toEqual([])
  })
})
