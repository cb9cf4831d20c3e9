import { Client, credentials } from '@grpc/grpc-js'
import { contentOf } from '../../src/call/content.js'
import { describedByServer } from '../../src/call/description.js'
import { run as runPlan } from '../../src/call/run.js'
import { Session } from '../../src/call/session.js'
import type { Discovery } from '../../src/domain/discovery.js'
import { install } from '../../src/grpc/install.js'
import { Invoker } from '../../src/grpc/invoker.js'
import { POLICIES } from '../../src/policies/index.js'
import { endpoint } from '../support/endpoints.js'
import { GreeterProcess } from '../support/greeter-process.js'

/** By turns in one run; the median counts. The first round of each warms up. */
const ROUNDS = 15
const CALLS = 3_000
const NEVER = new AbortController().signal

interface Measured {
  readonly perSecond: number
  /** User and system time of this process. */
  readonly cpuUsPerCall: number
}

async function measured(calls: () => Promise<void>): Promise<Measured> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await calls()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: CALLS / seconds, cpuUsPerCall: (user + system) / CALLS }
}

/** What a program would write: so many workers, each with one call at a time, and no measuring. */
async function bare(client: Client, path: string, message: Buffer, concurrency: number): Promise<void> {
  const same = (bytes: Buffer) => bytes
  let started = 0
  const call = () =>
    new Promise<void>((resolve, reject) => {
      const options = { deadline: Date.now() + 5_000 }
      client.makeUnaryRequest(path, same, same, message, options as never, (error: unknown) =>
        error ? reject(error) : resolve(),
      )
    })
  const worker = async () => {
    while (started < CALLS) {
      started++
      await call()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** `disco call`'s runner with its full report beside a bare grpc-js loop, against one server in its own process. */
export async function run(): Promise<void> {
  await using server = await GreeterProcess.start()
  const [policy] = POLICIES
  const discovery: Discovery = {
    async *watch(_, signal) {
      const endpoints = [endpoint({ addr: server.addr })]
      yield { type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  }
  install({ discovery })
  using session = new Session('hello', policy.configure({}))
  const readiness = await session.connect(5_000, NEVER)
  const client = new Client(server.addr, credentials.createInsecure())
  const method = (await describedByServer(session.client, 5_000, NEVER)).method('SayHello')
  const content = contentOf(method, { data: '{"name":"abc"}', headers: [], hashKey: null }, CALLS)
  const message = method.encode({ name: 'abc' })
  console.log(
    '| case | bare calls/s | disco calls/s | ratio | bare CPU µs/call | disco CPU µs/call | ratio |',
  )
  console.log('|---|---|---|---|---|---|---|')
  for (const concurrency of [1, 64]) {
    const load = { calls: CALLS, durationMs: Number.POSITIVE_INFINITY, concurrency, perSecond: null }
    const plan = { load, warmup: null, deadlineMs: 5_000, content, wantsHeaders: false, keepsReplies: false }
    const disco = async () => {
      const stops = { once: NEVER, twice: NEVER }
      const report = await runPlan(session, readiness, new Invoker(session.client, method), plan, stops)
      if (report.ok !== CALLS) throw new Error(`${report.ok} of ${CALLS} calls were answered`)
    }
    const seen: { readonly bare: Measured; readonly disco: Measured }[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      const isBareFirst = round % 2 === 0
      const before = isBareFirst ? null : await measured(disco)
      const loop = await measured(() => bare(client, method.path, message, concurrency))
      const pair = { bare: loop, disco: before ?? (await measured(disco)) }
      if (round > 0) seen.push(pair)
    }
    const rates = [
      median(seen.map((pair) => pair.bare.perSecond)),
      median(seen.map((pair) => pair.disco.perSecond)),
    ] as const
    const cpu = [
      median(seen.map((pair) => pair.bare.cpuUsPerCall)),
      median(seen.map((pair) => pair.disco.cpuUsPerCall)),
    ] as const
    const cells = [
      `-c ${concurrency} (${CALLS} calls)`,
      ...rates.map((rate) => rate.toFixed(0)),
      median(seen.map((pair) => pair.disco.perSecond / pair.bare.perSecond)).toFixed(3),
      ...cpu.map((us) => us.toFixed(1)),
      median(seen.map((pair) => pair.disco.cpuUsPerCall / pair.bare.cpuUsPerCall)).toFixed(3),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  client.close()
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
