import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Etcd } from '../support/etcd.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Source of a program that uses the library once, closes it, and prints the number of timers that keep the process
 * alive.
 */
function program(endpoints: readonly string[], use: string): string {
  return `
    import { Registry } from 'disco-registry'
    const registry = await Registry.open({
      endpoints: ${JSON.stringify(endpoints)}, endpointsSource: 'the test', cache: false,
      commandTimeoutMs: 1000, dialTimeoutMs: 300,
    })
    const stop = new AbortController()
    await (async () => { ${use} })().catch(({ code }) => console.log(code))
    stop.abort()
    registry.close()
    await new Promise(setImmediate)
    console.log(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length)
    process.on('exit', () => console.log('ended'))
  `
}

let etcd: Etcd
let mute: Server
let muteEndpoint: string

beforeAll(async () => {
  etcd = await sharedEtcd()
  mute = createServer().listen(0, '127.0.0.1')
  await once(mute, 'listening')
  muteEndpoint = `127.0.0.1:${(mute.address() as AddressInfo).port}`
  mute.on('connection', (socket) => socket.unref().on('error', () => undefined))
})
afterAll(async () => {
  mute.close()
})

async function lines(endpoints: readonly string[], use: string): Promise<string[]> {
  const args = ['--input-type=module', '--eval', program(endpoints, use)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 30_000 })
  return stdout.trim().split('\n')
}

const LIST = 'await registry.list()'
const WATCH = `
  for await (const update of registry.watch({ service: 'x' }, stop.signal)) { console.log(update.type); break }`
const HOLD = `
  const request = { registered: { service: 'x', version: '', addr: '1.1.1.1:1', weight: 1, metadata: {} }, ttlSeconds: 5 }
  const held = await registry.register(request, { signal: stop.signal })
  await held.close()
  console.log(await held.ended)`

describe('a process that closes its registry exits by itself, with no timer left,', () => {
  test('after a list', async () => {
    expect(await lines([etcd.endpoint], LIST)).toEqual(['0', 'ended'])
  })

  test('after a watch', async () => {
    expect(await lines([etcd.endpoint], WATCH)).toEqual(['reset', '0', 'ended'])
  })

  test('after a registration', async () => {
    expect(await lines([etcd.endpoint], HOLD)).toEqual(['closed', '0', 'ended'])
  })

  test('after a refused connection', async () => {
    expect(await lines(['127.0.0.1:1'], LIST)).toEqual(['ETCD_UNREACHABLE', '0', 'ended'])
  })

  test('after a member that did not answer', async () => {
    expect(await lines([muteEndpoint], LIST)).toEqual(['ETCD_UNREACHABLE', '0', 'ended'])
  })

  test('after a member that did not answer and one that did', async () => {
    expect(await lines([muteEndpoint, etcd.endpoint], LIST)).toEqual(['0', 'ended'])
  })
})
