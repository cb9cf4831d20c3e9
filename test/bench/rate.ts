import { Client, credentials } from '@grpc/grpc-js'
import { generate } from '../../src/call/load/generate.js'
import { GreeterProcess } from '../support/greeter-process.js'

const PATH = '/helloworld.Greeter/SayHello'
const MESSAGE = Buffer.from([10, 1, 97])
const RATES = [50, 150, 200, 1_000, 2_000]
const DURATION_MS = 4_000
const NEVER = new AbortController().signal
const same = (bytes: Buffer) => bytes

function call(client: Client, done: () => void): void {
  const options = { deadline: Date.now() + 5_000 }
  client.makeUnaryRequest(PATH, same, same, MESSAGE, options as never, (error: unknown) => {
    if (error) throw error
    done()
  })
}

function percentile(values: readonly number[], part: number): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN).toFixed(2)
}

/** How late the open loop starts calls by its own doing, and what that takes of a core. */
export async function run(): Promise<void> {
  await using server = await GreeterProcess.start()
  const client = new Client(server.addr, credentials.createInsecure())
  for (let warm = 0; warm < 2_000; warm++) await new Promise<void>((resolve) => call(client, resolve))
  console.log(
    '| calls/s | started late, p50 | p95 | latency from when it was due, p50 | p95 | CPU of a core |',
  )
  console.log('|---|---|---|---|---|---|')
  for (const perSecond of RATES) {
    const lateMs: number[] = []
    const latencyMs: number[] = []
    const cpu = process.cpuUsage()
    const load = { calls: Number.POSITIVE_INFINITY, concurrency: Number.POSITIVE_INFINITY }
    await generate(
      { ...load, durationMs: DURATION_MS, perSecond },
      (dueAtMs, done) => {
        lateMs.push(performance.now() - dueAtMs)
        call(client, () => {
          latencyMs.push(performance.now() - dueAtMs)
          done()
        })
      },
      NEVER,
    )
    const { user, system } = process.cpuUsage(cpu)
    const part = `${((user + system) / DURATION_MS / 10).toFixed(0)} %`
    const times = [lateMs, latencyMs].flatMap((of) => [0.5, 0.95].map((at) => `${percentile(of, at)} ms`))
    console.log(`| ${[perSecond, ...times, part].join(' | ')} |`)
  }
  client.close()
}
