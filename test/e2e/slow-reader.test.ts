import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { until } from '../support/disco.js'
import { isAlive } from '../support/script.js'
import { StoppedReader } from '../support/stopped-reader.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { Writer } from '../support/writer.js'

const { etcd, disco } = await toolOnEtcd()

const MIB = 1024 * 1024

/** Where each of the events was kept it was 77 MiB; where none is, it is one or two. */
const MOST_GROWTH = 40 * MIB

const PORTS = Array.from({ length: 20 }, (_, port) => port)

/** Changes every port's weight in each of so many revisions; the last one. */
async function change(writer: Writer, revisions: number): Promise<number> {
  let last = 0
  for (let at = 0; at < revisions; at++) last = await writer.putTogether(PORTS, 2 + (at % 100))
  return last
}

describe('watch whose reader does not read', () => {
  test('pauses: every event comes once it reads, and Ctrl-C ends it though it does not', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    await writer.fill(PORTS.length)
    const piped = await StoppedReader.start(disco, 'watch hello', '"type":"synced"')
    piped.stopReading()
    const last = await change(writer, 500)
    // Longer than a watch may be silent.
    await delay(8_000)
    piped.readOn()
    await piped.shell.printed(`"rev":"${last}"`, PORTS.length)
    const [, ...events] = piped.shell.events()
    expect(events).toHaveLength(500 * PORTS.length)
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['weight']))
    const revisions = events.map(({ rev }) => Number(rev))
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))

    piped.stopReading()
    await change(writer, 500)
    piped.kill('SIGINT')
    await until(
      () => !isAlive(piped.toolPid),
      () => 'the end of the tool',
    )
    piped.readOn()
    expect((await piped.shell.exited()).code).toBe(130)
  })

  test('takes no memory for 60,000 events, and tells what differs where etcd compacted them', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    await writer.fill(PORTS.length)
    const piped = await StoppedReader.start(disco, 'watch hello', '"type":"synced"')
    // What a first burst takes is the heap's own.
    const first = await change(writer, 100)
    await piped.shell.printed(`"rev":"${first}"`, PORTS.length)
    piped.stopReading()
    const before = piped.residentBytes
    await change(writer, 3_000)
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
    expect(growth).toBeLessThan(MOST_GROWTH)
  })
})

test('health --watch whose reader does not read waits for it, and ends with Ctrl-C', async () => {
  using writer = new Writer(etcd.endpoint, 'sick')
  // Nobody listens there: each line tells of a refusal. All lines together are more than a pipe takes.
  await writer.fill(800)
  const piped = await StoppedReader.start(disco, 'health sick --watch', '"addr"')
  piped.stopReading()
  await etcd.ctl('del', '--prefix', writer.prefix)
  await delay(3_000)
  piped.kill('SIGINT')
  await until(
    () => !isAlive(piped.toolPid),
    () => 'the end of the tool',
  )
  piped.readOn()
  expect((await piped.shell.exited()).code).toBe(130)
  expect(piped.shell.events().length).toBeLessThan(1_600)
})
