import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Backends, startBackends } from '../../src/dev/backends.js'
import { Disco } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'

const HOOK = fileURLToPath(new URL('../support/connections-main.cjs', import.meta.url))

let etcd: RealEtcd
let backends: Backends
let folder: string
let noted: string
let disco: Disco

beforeAll(async () => {
  etcd = await RealEtcd.start()
  const plans = [1, 3].map((weight) => ({ weight, latencyMs: 0, errorFraction: 0 }))
  backends = await startBackends(etcd.endpoint, { service: 'hello', version: '1.0.0', plans })
  folder = mkdtempSync(join(tmpdir(), 'disco-telemetry-'))
  noted = join(folder, 'connections')
  disco = new Disco(etcd.endpoint, {
    NODE_OPTIONS: `--require ${HOOK}`,
    CONNECTIONS: noted,
    HOME: folder,
    XDG_CACHE_HOME: folder,
  })
})

afterAll(async () => {
  await disco.stopAll()
  await backends.close()
  await etcd.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('commands connect to etcd and to the endpoints of the registry only', async () => {
  const { stdout } = await disco.run('ls', 'hello', '-o', 'name')
  const named = [etcd.endpoint, ...stdout.trim().split('\n')]
  for (const command of [
    ['--help'],
    ['--version'],
    ['lss'],
    ['ls', '--probe'],
    ['ls', 'hello', '--probe'],
    ['call', 'hello', 'SayHello', '--n', '20'],
    ['health', 'hello'],
    ['doctor'],
    ['history', 'hello'],
    ['export'],
    ['layouts'],
    ['pick', 'hello'],
    ['completion', 'bash'],
    ['watch', 'hello', '--count', '1', '--exec', 'true'],
  ]) {
    const running = disco.start(...command)
    if (command[0] === 'watch') {
      await running.printed('synced')
      await running.end('SIGINT')
    } else await running.exited()
  }
  const lines = readFileSync(noted, 'utf8').trim().split('\n')
  const connections = [...new Set(lines.filter((line) => line.startsWith('connect ')))]
  expect(connections.toSorted()).toEqual(named.map((address) => `connect ${address}`).toSorted())
  const names = lines.filter((line) => line.startsWith('name ')).map((line) => line.slice('name '.length))
  expect(names.filter((name) => name !== '127.0.0.1')).toEqual([])
  expect(lines.filter((line) => line.startsWith('datagram'))).toEqual([])
})

test('a connection to another address is detected', async () => {
  const program = `require('node:net').createConnection({ host: '127.0.0.1', port: 1 }).on('error', () => {})`
  await disco.shell(`"${process.execPath}" -e "${program}"`).exited()
  expect(readFileSync(noted, 'utf8')).toContain('connect 127.0.0.1:1\n')
})
