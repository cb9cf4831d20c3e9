import { readFileSync } from 'node:fs'
import { contentOf } from '../../src/call/content.js'
import { describedByServer } from '../../src/call/description.js'
import { run as runPlan } from '../../src/call/run.js'
import { Session } from '../../src/call/session.js'
import type { Discovery } from '../../src/domain/discovery.js'
import { install } from '../../src/grpc/install.js'
import { Invoker } from '../../src/grpc/invoker.js'
import { POLICIES } from '../../src/policies/index.js'
import { endpoint } from '../support/endpoints.js'

/** Connects to the addresses of standard input, calls each once, and prints what that took. */
const NEVER = new AbortController().signal
const addrs = readFileSync(0, 'utf8').trim().split(' ')
const endpoints = addrs.map((addr) => endpoint({ addr }))
const discovery: Discovery = {
  async *watch(_, signal) {
    yield { type: 'reset', revision: 1, endpoints, source: 'etcd', ageMs: 0 }
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  },
}
install({ discovery })
const startedAtMs = performance.now()
const cpu = process.cpuUsage()
const session = new Session('hello', POLICIES[0].configure({}))
const readiness = await session.connect(120_000, NEVER)
const connectMs = performance.now() - startedAtMs
const { user, system } = process.cpuUsage(cpu)
const connectCpuMs = (user + system) / 1_000
const method = (await describedByServer(session.client, 5_000, NEVER)).method('SayHello')
const calls = addrs.length
const content = contentOf(method, { data: '{}', headers: [], hashKey: null }, calls)
const load = { calls, durationMs: Number.POSITIVE_INFINITY, concurrency: 1, perSecond: null }
const plan = { load, warmup: null, deadlineMs: 5_000, content, wantsHeaders: false, keepsReplies: false }
const stops = { once: NEVER, twice: NEVER }
const report = await runPlan(session, readiness, new Invoker(session.client, method), plan, stops)
const called = report.endpoints.filter(({ picks }) => picks === 1).length
const rssMb = process.resourceUsage().maxRSS / 1024
const { ready } = readiness
console.log(JSON.stringify({ ready, ok: report.ok, called, connectMs, connectCpuMs, rssMb }))
process.exit()
