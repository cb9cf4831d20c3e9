import { Client, connectivityState, credentials, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { deadEndpoints } from '../support/dead-endpoints.js'
import { until } from '../support/disco.js'

/** The fixture of other tests: where one of these served, those would prove nothing. */
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
] as const)('%s: a call ends with status %i', async (kind, code, details) => {
  const client = new Client(dead[kind], credentials.createInsecure())
  const ended = await call(client, code === status.UNAVAILABLE ? 20_000 : 500)
  client.close()
  expect(ended).toMatchObject({ code, details: expect.stringContaining(details) })
})

test('goAway: answers calls, over a new connection again and again', async () => {
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
      // A call that meets the GOAWAY is refused, and grpc-js sends it again only once.
      expect([status.OK, status.UNAVAILABLE]).toContain(code)
      if (code === status.OK) answered++
      return answered > 2 && connections > 2
    },
    () => 'three connections',
  )
  client.close()
})
