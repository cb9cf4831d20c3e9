import { Client, connectivityState, credentials, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { deadEndpoints } from '../support/dead-endpoints.js'
import { until } from '../support/disco.js'

/** The fixture that other tests rely on: if one of these endpoints served calls, those tests would prove nothing. */
const dead = await deadEndpoints()

const SAY_HELLO = '/helloworld.Greeter/SayHello'
const bytes = (value: Buffer) => value

function call(client: Client, deadlineMs: number): Promise<{ code: number; details: string }> {
  const options = { deadline: Date.now() + deadlineMs }
  return new Promise((resolve) => {
    client.makeUnaryRequest(SAY_HELLO, bytes, bytes, Buffer.alloc(0), options as never, (error) =>
      resolve({ code: error?.code ?? status.OK, details: error?.details ?? '' }),
    )
  })
}

test.each([
  ['refused', status.UNAVAILABLE, 'ECONNREFUSED'],
  ['reset', status.UNAVAILABLE, ''],
  ['mute', status.DEADLINE_EXCEEDED, ''],
  ['swallowed', status.DEADLINE_EXCEEDED, ''],
] as const)('a call to the endpoint "%s" ends with status %i', async (kind, code, details) => {
  const client = new Client(dead[kind], credentials.createInsecure())
  const ended = await call(client, code === status.UNAVAILABLE ? 20_000 : 500)
  client.close()
  expect(ended).toMatchObject({ code, details: expect.stringContaining(details) })
})

test('the endpoint "goAway" answers calls, each time over a new connection', async () => {
  const client = new Client(dead.goAway.addr, credentials.createInsecure())
  const channel = client.getChannel()
  let connections = 0
  const watch = () => {
    const state = channel.getConnectivityState(false)
    if (state === connectivityState.READY) connections++
    if (state === connectivityState.SHUTDOWN) return
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, watch)
  }
  watch()
  let answered = 0
  await until(
    async () => {
      const { code } = await call(client, 20_000)
      // A call that receives GOAWAY is refused, and grpc-js retries it only once.
      expect([status.OK, status.UNAVAILABLE]).toContain(code)
      if (code === status.OK) answered++
      return answered > 2 && connections > 2
    },
    () => 'three connections',
  )
  client.close()
})
