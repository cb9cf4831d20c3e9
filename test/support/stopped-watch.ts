import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Disco } from './disco.js'
import type { Etcd } from './etcd.js'
import { StoppedReader } from './stopped-reader.js'
import { Writer } from './writer.js'

/** Ports of the endpoints of a service whose weights change together in one revision. */
export const PORTS = Array.from({ length: 20 }, (_, port) => port)

/** Changes the weights of all endpoints in each of this many revisions. @returns the last revision */
export async function changeAll(writer: Writer, revisions: number): Promise<number> {
  let last = 0
  for (let at = 0; at < revisions; at++) last = await writer.putTogether(PORTS, 2 + (at % 100))
  return last
}

/**
 * Lets `disco watch` write into a pipe with a stopped reader, while this many revisions of twenty events each happen
 * and are compacted. Expects `resync` and the difference when the reader continues.
 *
 * @returns growth of the resident memory of the tool in bytes
 */
export async function growthOfStoppedWatch(etcd: Etcd, disco: Disco, revisions: number): Promise<number> {
  using writer = new Writer(etcd.endpoint, 'hello')
  await writer.fill(PORTS.length)
  const piped = await StoppedReader.start(disco, 'watch hello', '"type":"synced"')
  // The first changes make the heap grow to its working size, which is not counted.
  const first = await changeAll(writer, 100)
  await piped.shell.printed(`"rev":"${first}"`, PORTS.length)
  piped.stopReading()
  const before = piped.residentBytes
  await changeAll(writer, revisions)
  await delay(1_000)
  const growth = piped.residentBytes - before
  const last = await writer.putTogether(PORTS, 7)
  await writer.compact(last)
  piped.readOn()
  await piped.shell.printed('"type":"resync"')
  await piped.shell.printed('"to":7', PORTS.length)
  const resync = piped.shell.events().findIndex(({ type }) => type === 'resync')
  expect(piped.shell.events().slice(resync)).toMatchObject([
    { type: 'resync', changes: PORTS.length },
    ...PORTS.map(() => ({ type: 'weight', to: 7 })),
  ])
  piped.kill('SIGINT')
  expect((await piped.shell.exited()).code).toBe(130)
  return growth
}
