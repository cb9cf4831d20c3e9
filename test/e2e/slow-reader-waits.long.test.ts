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

/** Maximum growth in bytes. It was 77 MiB when every event was kept in memory, and is one or two without that. */
const MAX_GROWTH = 40 * MIB

describe('watch with a stopped reader', () => {
  test('pauses and delivers every event once the reader continues, and ends on Ctrl-C while the reader is stopped', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    await writer.fill(PORTS.length)
    const piped = await StoppedReader.start(disco, 'watch hello', '"type":"synced"')
    piped.stopReading()
    const last = await changeAll(writer, 500)
    // Longer than the 6.5 s after which an etcd member counts as silent.
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

  test('uses no memory for 60,000 events, and delivers the difference if etcd compacted them', async () => {
    expect(await growthOfStoppedWatch(etcd, disco, 3_000)).toBeLessThan(MAX_GROWTH)
  }, 180_000)
})

test('call delivers every reply of a stream to a stopped reader once it continues, even after the call has ended', async () => {
  await using server = await startEchoServer(['grpc.reflection.v1'])
  await etcd.ctl('put', ...registration('hello', server.addr))
  const sent = Array.from({ length: 300 }, (_, at) =>
    JSON.stringify({ aString: `${at} ${'x'.repeat(2_000)}` }),
  )
  await using file = await temporaryFile('data.json', sent.join('\n'))
  const piped = await StoppedReader.startStopped(disco, `call hello Both -d @${file.path} -o table`, '"0 x')
  await delay(1_000)
  piped.readOn()
  expect((await piped.shell.exited()).code).toBe(0)
  expect(piped.shell.stdout.trimEnd().split('\n')).toEqual(sent)
})

test('health --watch pauses for a stopped reader, and ends on Ctrl-C', async () => {
  using writer = new Writer(etcd.endpoint, 'sick')
  // No server listens at the addresses: each line reports a refused connection, and all lines exceed the pipe’s buffer.
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
