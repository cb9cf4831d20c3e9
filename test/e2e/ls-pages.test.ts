import { expect, test } from 'vitest'
import { type Process, until } from '../support/disco.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { Writer } from '../support/writer.js'

const { etcd, disco } = await toolOnEtcd()

const ENDPOINTS = 12_000
/** Bytes after which the relay stops: more than the first page of 5,000 endpoints, less than all pages. */
const HELD_AFTER_BYTES = 1_100_000

const names = (listing: Process): number => listing.stdout.split('\n').length - 1

/** A relay in front of etcd that withholds the second page of the list of `hello`. */
async function heldList(): Promise<{ relay: FaultProxy; args: readonly string[] }> {
  using writer = new Writer(etcd.endpoint, 'hello')
  await writer.fill(ENDPOINTS)
  const relay = await FaultProxy.start(etcd.endpoint)
  relay.holdAfter('toClient', HELD_AFTER_BYTES)
  const own = ['--endpoints', relay.endpoint, '--command-timeout', '60s']
  return { relay, args: ['ls', 'hello', '-o', 'name', ...own] }
}

test('ls -o name prints the addresses of the first page before etcd has sent the second', async () => {
  const { relay, args } = await heldList()
  await using _ = relay
  const listing = disco.start(...args, '-l', 'weight>0')
  await until(
    () => names(listing) === 5_000,
    () => `5,000 addresses, got ${names(listing)}: ${listing.stderr}`,
  )
  expect(listing.child.exitCode).toBe(null)
  await relay.heal()
  const { stdout, stderr, code } = await listing.exited()
  expect([code, stderr]).toEqual([0, ''])
  expect(names(listing)).toBe(ENDPOINTS)
  expect(new Set(stdout.trimEnd().split('\n')).size).toBe(ENDPOINTS)
})

test('ls -o name exits 0 without an error if its reader exits before the second page', async () => {
  const { relay, args } = await heldList()
  await using _ = relay
  const { stdout, stderr, code } = await disco.into('pipe', 'head -1', ...args).exited()
  expect([stdout, stderr, code]).toEqual(['10.0.0.1:1000\n', '', 0])
})

test('ls -o name of a selection without endpoints reports the available values, like the other formats', async () => {
  await using relay = await FaultProxy.start(etcd.endpoint)
  await etcd.ctl(
    'put',
    '/hello/1/10.0.0.1:80',
    '{"name":"hello","addr":"10.0.0.1:80","version":"1","weight":1}',
  )
  const own = ['--endpoints', relay.endpoint, '-o', 'name']
  const none = await disco.run('ls', 'hello', '-l', 'version=2', ...own)
  expect([none.stdout, none.code]).toEqual(['', 4])
  expect(none.stderr).toContain('version: 1')
  const absent = await disco.run('ls', 'hello', '10.0.0.1:80', '10.0.0.9:80', ...own)
  expect([absent.stdout, absent.code]).toEqual(['', 4])
})
