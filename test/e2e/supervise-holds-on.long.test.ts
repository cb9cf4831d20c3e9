import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { until } from '../support/disco.js'
import { isAlive, pidIn, script, WAITS } from '../support/script.js'
import { acceptingPort, isUp, ownService, supervise } from '../support/supervised.js'
import { supervisedOnEtcd } from '../support/supervised-on-etcd.js'

const { disco, weightOf, untilWeight, history, nothingIsLeft } = await supervisedOnEtcd()

describe.concurrent('a supervised server', () => {
  test('keeps running if its key is deregistered from outside', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await isUp(held)
    expect((await disco.run('unregister', service, `127.0.0.1:${port}`)).code).toBe(0)
    await held.printed('was deregistered from outside; not put back')
    await held.printed('the server keeps running, unregistered')
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    expect((await held.end('SIGTERM')).code).toBe(0)
    server.close()
  })

  test('keeps running if its key is taken over, which is reported, and the exit code is 6', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await isUp(held)
    const other = disco.start('register', service, `127.0.0.1:${port}`, '--takeover', '--weight', '9')
    await held.printed('was taken over by lease')
    await held.printed('the server keeps running, unregistered')
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    const { code, stderr } = await held.end('SIGTERM')
    expect(code).toBe(6)
    expect(stderr).toContain('✗')
    expect(await weightOf(service, port)).toBe(9)
    await other.end('SIGTERM')
    server.close()
  })

  test('is stopped if another registrar holds its key from the start, with exit code 6', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const other = disco.start('register', service, `127.0.0.1:${port}`, '--ttl', '6', '--weight', '9')
    await other.printed('"type":"added"')
    const held = supervise(disco, service, port, { command: script(WAITS) })
    const { code, stderr } = await held.exited()
    expect(code).toBe(6)
    expect(stderr).toContain('is held by another registrar: lease')
    expect(isAlive(pidIn(stderr))).toBe(false)
    expect(await weightOf(service, port)).toBe(9)
    await other.end('SIGTERM')
    server.close()
  })
})

test('Ctrl-Z also stops the supervised server; after SIGCONT an expired registration is created again', async () => {
  const service = ownService()
  const { port, server } = await acceptingPort()
  const held = supervise(disco, service, port, { command: script(WAITS), flags: ['--ttl', '2'] })
  await isUp(held)
  const pids = [held.child.pid ?? 0, pidIn(held.stdout)]
  process.kill(pids[0] ?? 0, 'SIGTSTP')
  await until(
    () => pids.every((pid) => stateOf(pid) === 'T'),
    () => 'both to be stopped',
  )
  await held.printed('stopped, and the server with it')
  await untilWeight(service, port, null)
  process.kill(pids[0] ?? 0, 'SIGCONT')
  await untilWeight(service, port, 1)
  expect(pids.map(stateOf)).not.toContain('T')
  expect((await held.end('SIGTERM')).code).toBe(0)
  server.close()
})

/** State of a process as in proc(5); T means stopped by a signal. */
function stateOf(pid: number): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
}

describe.concurrent('a registration continues when the reader of its output exits, and ends properly:', () => {
  test('with closed pipes', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await isUp(held)
    held.child.stdout?.destroy()
    held.child.stderr?.destroy()
    for (const weight of [2, 3]) {
      expect((await disco.run('weight', service, `127.0.0.1:${port}`, String(weight), '--force')).code).toBe(
        0,
      )
    }
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(isAlive(pidIn(held.stdout))).toBe(false)
    expect(await history(service, port)).toEqual([1, 2, 3, 0, null])
    server.close()
  })

  test('with unread events', async () => {
    const service = ownService()
    const held = disco.start('register', service, '127.0.0.1:1001', '--ttl', '60')
    await held.printed('"type":"added"')
    held.child.stdout?.destroy()
    for (const weight of [2, 3]) {
      expect((await disco.run('weight', service, '127.0.0.1:1001', String(weight), '--force')).code).toBe(0)
    }
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await history(service, 1001)).toEqual([1, 2, 3, null])
  })

  test('with a closed terminal, which sends SIGHUP and has no reader', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const own = ['register', service, `127.0.0.1:${port}`, '--ttl', '600', '--drain', '300ms']
    const held = disco.onTerminal(100, 20, ...own, '--', process.execPath, '-e', SAYS_ITS_PID)
    await isUp(held)
    const pid = pidIn(held.stdout.slice(held.stdout.indexOf('I am')))
    held.child.kill('SIGKILL')
    await until(
      () => !isAlive(pid),
      () => 'the server to be stopped',
    )
    expect(await history(service, port)).toEqual([1, 0, null])
    server.close()
  })
})

/** Runs register on a new terminal. Arguments of the command must not contain quotes. */
const SAYS_ITS_PID = 'console.log(`I am pid ` + process.pid); setInterval(() => {}, 1000)'

test('no key or lease is left in etcd', nothingIsLeft)
