import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Client, credentials } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { Disco } from '../support/disco.js'
import { etcdctl } from '../support/etcdctl.js'

const disco = new Disco('127.0.0.1:1')

afterEach(() => disco.stopAll())

interface DevDoc {
  readonly endpoint: string
  readonly backends: readonly { addr: string; weight: number }[]
  readonly proxy: string | null
}

/** The bytes of a reply, which contain the backend’s address. */
function greet(client: Client): Promise<string> {
  const bytes = (value: Buffer) => value
  const path = '/helloworld.Greeter/SayHello'
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(path, bytes, bytes, Buffer.alloc(0), (error, reply) =>
      error ? reject(error) : resolve(String(reply)),
    )
  })
}

async function startDev(...args: string[]) {
  const dev = disco.start('dev', '--port', '0', '--json', ...args)
  await dev.printed('disco.dev/v1')
  const doc = JSON.parse(dev.stdout) as DevDoc
  return { dev, doc, client: new Disco(doc.endpoint) }
}

describe('disco dev', () => {
  test('registers its backends through the ordinary registrar, and they answer calls by name', async () => {
    const { dev, doc, client } = await startDev(
      '--backends',
      '2,3',
      '--service',
      'greet',
      '--version',
      '2.0.0',
    )
    expect(doc.backends.map(({ weight }) => weight)).toEqual([2, 3])
    const listed = JSON.parse((await client.run('ls', 'greet', '--json')).stdout) as {
      endpoints: { addr: string; weight: number; version: string; lease: string; grantedTtlSeconds: number }[]
    }
    expect(listed.endpoints.map(({ weight }) => weight).sort()).toEqual([2, 3])
    expect(
      listed.endpoints.every((e) => e.version === '2.0.0' && e.lease !== null && e.grantedTtlSeconds === 10),
    ).toBe(true)
    const reply = JSON.parse(
      (await client.run('call', 'greet', 'SayHello', '-d', '{"name":"abc"}')).stdout,
    ) as object
    expect(reply).toMatchObject({ message: 'Hello abc' })
    expect((await dev.end('SIGTERM')).code).toBe(0)
  })

  test('serves etcdctl', async () => {
    const { doc } = await startDev('--backends', '1')
    const { stdout } = await etcdctl(doc.endpoint, ['get', '/hello/', '--prefix', '--print-value-only'])
    expect(JSON.parse(stdout)).toMatchObject({ name: 'hello', version: '1.0.0', weight: 1 })
  })

  test('with -- CMD runs the command against the registry and exits with its code', async () => {
    const line = 'test "$DISCO_ENDPOINTS" = "$ETCDCTL_ENDPOINTS" && test -n "$DISCO_ENDPOINTS" && exit 23'
    const { code, stderr } = await disco.run('dev', '--port', '0', '--backends', '1', '--', 'sh', '-c', line)
    expect(stderr).toContain('nothing is kept on disk')
    expect(stderr).toContain('use a real etcd cluster')
    expect(code).toBe(23)
  })

  test('--proxy balances calls to the backends, and CMD finds the proxy', async () => {
    const { dev, doc } = await startDev('--backends', '1,3', '--proxy-port', '0')
    const client = new Client(doc.proxy ?? '', credentials.createInsecure())
    const answers = await Promise.all(Array.from({ length: 8 }, () => greet(client)))
    client.close()
    const counts = doc.backends.map(({ addr }) => answers.filter((answer) => answer.includes(addr)).length)
    expect(counts).toEqual([2, 6])
    expect((await dev.end('SIGTERM')).code).toBe(0)
    const line = 'test -n "$DISCO_PROXY" && exit 23'
    const args = ['--port', '0', '--backends', '1', '--proxy', '--proxy-port', '0', '--', 'sh', '-c', line]
    const { code, stderr } = await disco.run('dev', ...args)
    expect(stderr).toMatch(/proxy on 127\.0\.0\.1:\d+ for hello/)
    expect(code).toBe(23)
  })

  test('refuses a command that cannot be started as a usage error', async () => {
    const { code, stderr } = await disco.run(
      'dev',
      '--port',
      '0',
      '--backends',
      '1',
      '--',
      '/no/such/command',
    )
    expect(code).toBe(2)
    expect(stderr).toContain('Cannot run /no/such/command')
  })

  test('applies --latency and --error-rate per backend', async () => {
    const { client } = await startDev('--backends', '1,1', '--error-rate', '100%,0')
    const { code, stdout } = await client.run('call', 'hello', 'SayHello', '--n', '10', '--json')
    expect(code).toBe(7)
    expect(JSON.parse(stdout)).toMatchObject({ calls: 10, ok: 5, failures: { UNAVAILABLE: 5 } })
  })

  test('names a port that is in use, with the remedy', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await disco.run('dev', '--port', String(port))
    server.close()
    expect(code).toBe(6)
    expect(stderr).toContain(`Port ${port} at 127.0.0.1 is taken`)
    expect(stderr).toContain('--port 0')
  })

  test('names a port of the proxy that is in use, with the remedy, and leaves nothing running', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await disco.run('dev', '--port', '0', '--proxy-port', String(port))
    server.close()
    expect(code).toBe(6)
    expect(stderr).toContain(`The proxy cannot listen: port ${port} at 127.0.0.1 is taken`)
    expect(stderr).toContain('--proxy-port 0')
  })

  test.each([
    ['an invalid weight', ['--backends', '1,x'], 'Invalid --backends "1,x": expected integers from 0'],
    [
      'too many backends',
      ['--backends', Array.from({ length: 101 }, () => 1).join(',')],
      '--backends has 101 weights: the maximum is 100',
    ],
    [
      'values for other backends',
      ['--backends', '1,1', '--latency', '1ms,2ms,3ms'],
      '3 values for 2 backends',
    ],
    [
      'a service with a slash',
      ['--service', 'a/b'],
      'Invalid --service "a/b": expected the name of a service',
    ],
    ['a rate above one', ['--error-rate', '2'], 'Invalid --error-rate "2": expected rates from 0 to 1'],
    ['a second port', ['--port', '2380'], '--port is given more than once'],
    ['listening for other machines', ['--host', '0.0.0.0'], '--allow-remote'],
  ])('refuses %s', async (_, args, words) => {
    const { code, stderr } = await disco.run('dev', '--port', '0', ...args)
    expect(stderr).toContain(words)
    expect(code).toBe(2)
  })

  test('refuses an invalid port', async () => {
    const { code, stderr } = await disco.run('dev', '--port', '70000')
    expect(stderr).toContain('70000')
    expect(code).toBe(2)
  })
})
