import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { until } from '../support/disco.js'
import { startEchoServer } from '../support/echo-server.js'
import { registration } from '../support/etcd-state.js'
import { isAlive } from '../support/script.js'
import { StoppedReader } from '../support/stopped-reader.js'
import { changeAll, growthOfStoppedWatch, PORTS } from '../support/stopped-watch.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { Writer } from '../support/writer.js'

const { etcd, disco } = await toolOnEtcd()

const MIB = 1024 * 1024

/** Where each of the events was kept it was 77 MiB; where none is, it is one or two. */
const MAX_GROWTH = 40 * MIB

describe('watch with a reader that does not read', () => {
  test('pauses: every event comes once it reads, and Ctrl-C ends it though it does not', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    await writer.fill(PORTS.length)
    const piped = await StoppedReader.start(disco, 'watch hello', '"type":"synced"')
    piped.stopReading()
    const last = await changeAll(writer, 500)
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
    await changeAll(writer, 500)
    piped.kill('SIGINT')
    await until(
      () => !isAlive(piped.toolPid),
      () => 'the end of the tool',
    )
    piped.readOn()
    expect((await piped.shell.exited()).code).toBe(130)
  })

  test('takes no memory for 60,000 events, and delivers the difference where etcd compacted them', async () => {
    expect(await growthOfStoppedWatch(etcd, disco, 3_000)).toBeLessThan(MAX_GROWTH)
  })
})

test('call gets every reply of a stream once its reader reads, though the call has ended', async () => {
  await using server = await startEchoServer(['grpc.reflection.v1'])
  await etcd.ctl('put', ...registration('hello', server.addr))
  const sent = Array.from({ length: 300 }, (_, at) =>
    JSON.stringify({ aString: `${at} ${'x'.repeat(2_000)}` }),
  )
  await using file = await temporaryFile('data.json', sent.join('\n'))
  const piped = await StoppedReader.start(disco, `call hello Both -d @${file.path} -o table`, '"0 x')
  piped.stopReading()
  await delay(1_000)
  piped.readOn()
  expect((await piped.shell.exited()).code).toBe(0)
  expect(piped.shell.stdout.trimEnd().split('\n')).toEqual(sent)
})

test('health --watch waits for a reader that does not read, and ends with Ctrl-C', async () => {
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
