import { Client, credentials, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { type Greeter, type GreeterOptions, startGreeter } from '../../src/dev/greeter.js'
import { DiscoError } from '../../src/domain/errors.js'
import { Invoker, type Outcome } from '../../src/grpc/invoker.js'
import { Descriptors } from '../../src/grpc/methods/descriptors.js'
import { reflect } from '../../src/grpc/methods/reflection.js'

const DEADLINE_MS = 10_000
let greeter: Greeter
let client: Client

async function start(options: Partial<GreeterOptions> = {}): Promise<void> {
  greeter = await startGreeter({ port: 0, ...options })
  client = new Client(greeter.addr, credentials.createInsecure())
}

afterEach(() => {
  client.close()
  greeter.stop()
})

/** A call with raw bytes: the messages of this protocol are short enough to be read directly. */
function callBytes(path: string, request: Buffer): Promise<Buffer> {
  const same = (bytes: Buffer) => bytes
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(path, same, same, request, (error, reply) =>
      error || !reply ? reject(error) : resolve(reply),
    )
  })
}

describe('the sample backend', () => {
  test.each([
    ['v1', 'grpc.reflection.v1'],
    ['v1alpha', 'grpc.reflection.v1alpha'],
  ] as const)('supports only reflection %s', async (version, pkg) => {
    await start({ reflection: [pkg] })
    const { files, services, source } = await reflect(client, DEADLINE_MS)
    expect(services).toEqual(['helloworld.Greeter'])
    expect(source).toBe(
      `Described by server reflection ${version} at ${greeter.addr}; without reflection use --proto`,
    )
    const method = new Descriptors(files, source).method('SayHello')
    const content = { messages: [method.encode({ name: 'abc' })], headers: [], hashKey: null }
    const settings = { deadlineMs: DEADLINE_MS, wantsHeaders: false, keepsReplies: false }
    const outcome = await new Promise<Outcome>((resolve) =>
      new Invoker(client, method).invoke(0, content, settings, resolve),
    )
    const [reply = Buffer.of()] = outcome.replies
    expect(method.decode(reply).json).toEqual({ message: 'Hello abc', endpoint: greeter.addr })
    expect(outcome.peer).toBe(greeter.addr)
    expect(greeter.calls()).toBe(1)
  })

  test('causes an error that suggests --proto if it has no reflection', async () => {
    await start({ reflection: [] })
    const error = DiscoError.from(await reflect(client, DEADLINE_MS).catch((thrown: unknown) => thrown))
    expect(error.message).toContain('no reflection')
    expect(error.suggestions.join()).toContain('--proto')
  })

  test('answers health checks with SERVING, for Check and for Watch', async () => {
    await start()
    // A HealthCheckResponse: field 1, a varint, with the value 1, SERVING.
    const serving = Buffer.from([0x08, 0x01])
    expect(await callBytes('/grpc.health.v1.Health/Check', Buffer.alloc(0))).toEqual(serving)
    const same = (bytes: Buffer) => bytes
    const watch = client.makeServerStreamRequest<Buffer, Buffer>(
      '/grpc.health.v1.Health/Watch',
      same,
      same,
      Buffer.alloc(0),
    )
    watch.on('error', () => undefined)
    const first = await new Promise<Buffer>((resolve) => watch.once('data', resolve))
    watch.cancel()
    expect(first).toEqual(serving)
  })

  test('fails the configured fraction of calls', async () => {
    await start({ errorFraction: 1 })
    await expect(callBytes('/helloworld.Greeter/SayHello', Buffer.alloc(0))).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    })
  })
})
