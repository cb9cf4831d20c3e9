import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { until } from '../support/disco.js'
import { findEtcd } from '../support/etcd-binary.js'
import { grantLease, untilGone } from '../support/etcd-state.js'
import { recordedUnder } from '../support/recorded.js'
import { isAlive, pidIn, script, WAITS } from '../support/script.js'
import { acceptingPort, isUp, keyOf, killServerOf, ownService, supervise } from '../support/supervised.js'
import { supervisedOnEtcd } from '../support/supervised-on-etcd.js'

const { etcd, disco, weightOf, untilWeight, history, nothingIsLeft } = await supervisedOnEtcd()

describe.concurrent('a supervised server', () => {
  test('gets SIGTERM only after its key is deleted', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const look = `ETCDCTL_API=3 ${findEtcd('etcdctl')} --endpoints ${etcd.endpoint} get ${keyOf(service, port)}`
    const looks = script(WAITS, { onTerm: `echo "in the registry: [$(${look})]"; exit 0` })
    const held = supervise(disco, service, port, { command: looks })
    await isUp(held)
    const { code, stdout } = await held.end('SIGTERM')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('in the registry: []') as string,
    })
    expect(await history(service, port)).toEqual([1, 0, null])
    server.close()
  })

  test('that ignores SIGTERM is killed with its child processes, with exit code 0', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const stubborn = script(`(trap '' TERM; echo "child pid $BASHPID"; ${WAITS}) & ${WAITS}`, { onTerm: '' })
    const held = supervise(disco, service, port, { flags: ['--kill-after', '400ms'], command: stubborn })
    await isUp(held)
    await held.printed(/pid \d+\n/, 2)
    const pids = [...held.stdout.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
    expect(pids).toHaveLength(2)
    const { code, stderr } = await held.end('SIGTERM')
    expect(code).toBe(0)
    expect(stderr).toContain('! SIGKILL to')
    await until(
      () => !pids.some(isAlive),
      () => 'the last one to be gone',
    )
    server.close()
  })

  test('that forks and exits has its remaining processes killed', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const forks = script(`(echo "child pid $BASHPID"; ${WAITS}) & read -r; exit 5`)
    const held = supervise(disco, service, port, { command: forks })
    await isUp(held)
    await held.printed(/child pid \d+\n/)
    const child = pidIn(held.stdout.slice(held.stdout.indexOf('child')))
    held.child.stdin?.write('end\n')
    expect((await held.exited()).code).toBe(5)
    expect(isAlive(child)).toBe(false)
    expect(await weightOf(service, port)).toBeNull()
    server.close()
  })

  test('that is killed by SIGKILL is deregistered at once, long before the TTL, with exit code 137', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { flags: ['--ttl', '600'], command: script(WAITS) })
    await isUp(held)
    process.kill(pidIn(held.stdout), 'SIGKILL')
    const { code } = await held.exited()
    expect(code).toBe(137)
    expect(await weightOf(service, port)).toBeNull()
    expect(await history(service, port)).toEqual([1, null])
    server.close()
  })

  test('keeps running if the supervisor is killed by SIGKILL, and its key expires with the TTL', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { flags: ['--ttl', '2'], command: script(WAITS) })
    await isUp(held)
    const pid = pidIn(held.stdout)
    held.child.kill('SIGKILL')
    await once(held.child, 'exit')
    // Measured by the clock of etcd: a lease that is granted now for the TTL plus 2 s must expire later than the key.
    const [key, witness] = [keyOf(service, port), `/${service}/witness`]
    await etcd.ctl('put', witness, '{}', `--lease=${await grantLease(etcd, 4)}`)
    await untilGone(etcd, witness)
    const gone = (await recordedUnder(etcd, `/${service}/`)).filter(({ weight }) => weight === null)
    expect(gone.map((event) => event.key)).toEqual([key, witness])
    expect(isAlive(pid)).toBe(true)
    killServerOf(held)
    server.close()
  })

  test('skips its drain on a second signal: the lease is revoked, and the exit code is 130', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { flags: ['--drain', '10m'], command: script(WAITS) })
    await isUp(held)
    held.child.kill('SIGINT')
    await untilWeight(service, port, 0)
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    const { code } = await held.end('SIGINT')
    expect(code).toBe(130)
    expect(isAlive(pidIn(held.stdout))).toBe(false)
    expect(await weightOf(service, port)).toBeNull()
    server.close()
  })

  test('is killed by a second signal during its shutdown', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, {
      flags: ['--drain', '0', '--kill-after', '10m'],
      command: script(WAITS, { onTerm: '' }),
    })
    await isUp(held)
    held.child.kill('SIGTERM')
    await held.printed('→ stopping')
    expect((await held.end('SIGTERM')).code).toBe(130)
    expect(isAlive(pidIn(held.stdout))).toBe(false)
    server.close()
  })

  test('that exits by itself after SIGTERM determines the exit code', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(WAITS, { onTerm: 'exit 9' }) })
    await isUp(held)
    expect((await held.end('SIGTERM')).code).toBe(9)
    server.close()
  })

  test('is deregistered before the drain in a layout without weights', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const flags = ['--layout', 'go-zero', '--drain', '10m']
    const held = supervise(disco, service, port, { flags, command: script(WAITS) })
    await isUp(held)
    held.child.kill('SIGTERM')
    await held.printed('✓ deregistered')
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    expect(held.stderr).toContain('no weight to set, so deregistering, then waiting 600s')
    expect((await held.end('SIGTERM')).code).toBe(130)
    server.close()
  })
})

test('no key or lease is left in etcd', nothingIsLeft)
