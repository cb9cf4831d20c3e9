import { afterAll, describe, expect, test } from 'vitest'
import type { EndpointsDoc } from '../../src/cli/endpoints/document.js'
import { commandOf } from '../support/commands-of-page.js'
import { startSwallowing } from '../support/dead-endpoints.js'
import type { Ran } from '../support/disco.js'
import { revision } from '../support/etcd-state.js'
import { OnCall } from '../support/on-call.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const blackHole = await startSwallowing()
afterAll(() => blackHole.close())

const start = () => OnCall.start(etcd, blackHole.addr)

/** Runs a shell command line, in which a pipeline fails if any of its commands fails. */
const bash = (line: string): Promise<Ran> => disco.shell(`set -o pipefail; ${line}`).exited()

async function weights(service: string, ...args: string[]): Promise<Record<string, number | null>> {
  const { stdout } = await disco.run('ls', service, '--json', ...args)
  const { endpoints } = JSON.parse(stdout) as EndpointsDoc
  return Object.fromEntries(endpoints.map(({ addr, weight }) => [addr, weight]))
}

const ENDPOINT = 'disco doctor hello 127.0.0.1:1004'
const HOST = '10.0.0.5'

/** The answer of doctor about one endpoint of the registry, and its exit code. */
async function whyNoTraffic(service: string, addr: string) {
  const names = { 'doctor hello': `doctor ${service}`, '127.0.0.1:1004': addr }
  const { code, stdout } = await bash(`${commandOf('dead-endpoint.md', ENDPOINT, names)} | head -1`)
  return [code, stdout.trim()]
}

describe('on call: who gets traffic', () => {
  test('1. endpoints in rotation are listed, and doctor explains why an endpoint gets no traffic', async () => {
    await using onCall = await start()
    const all = await bash(commandOf('dead-endpoint.md', 'disco ls --probe'))
    expect(all.code).toBe(0)
    expect(all.stdout).toMatch(/^hello +1\.0\.0, 2\.0\.0 +5 +4\/5 /m)
    expect(all.stdout).toMatch(/^orders +1\.0\.0 +4 +2\/4 /m)
    const { refused, drained, notServing } = onCall
    const because = (addr: string, why: string) => `✗ ${addr}: it gets no traffic: ${why}`
    expect(await whyNoTraffic('hello', refused)).toEqual([
      9,
      because(refused, 'no connection to its server: connection refused'),
    ])
    expect(await whyNoTraffic('orders', onCall.blackHole)).toEqual([
      9,
      expect.stringContaining(because(onCall.blackHole, 'its server does not answer')),
    ])
    expect(await whyNoTraffic('payments', drained)).toEqual([
      0,
      expect.stringContaining(because(drained, 'its weight is 0 since rev ')),
    ])
    expect(await whyNoTraffic('orders', notServing)).toEqual([
      9,
      expect.stringContaining(because(notServing, 'its server reports NOT_SERVING')),
    ])
  })

  test('2. dead registrations of all services are found and removed, and no others', async () => {
    await using onCall = await start()
    const before = await bash('disco ls hello -o name; disco ls orders -o name; disco ls payments -o name')
    const fix = await bash(commandOf('dead-endpoint.md', 'disco doctor --fix --yes'))
    // One server does not serve, and one does not answer. Both need a human decision.
    expect(fix.code).toBe(9)
    expect(fix.stdout).toContain(`fix: disco unregister orders ${onCall.blackHole} `)
    const names = { hello: 'orders', '127.0.0.1:1004': onCall.blackHole }
    const remove = commandOf('dead-endpoint.md', 'disco unregister hello 127.0.0.1:1004', names)
    expect((await bash(remove)).code).toBe(0)
    const after = await bash('disco ls hello -o name; disco ls orders -o name; disco ls payments -o name')
    const isAlive = (line: string) => line !== onCall.refused && line !== onCall.blackHole
    expect(after.stdout.split('\n')).toEqual(before.stdout.split('\n').filter(isAlive))
    expect(after.stdout.trim().split('\n')).toHaveLength(10)
  })

  test('3. a host that runs three services is drained, waited for, and brought back', async () => {
    await using onCall = await start()
    const names = { [HOST]: '127.0.0.3' }
    const typed = (words: string) => bash(commandOf('drain-host.md', words, names))
    const before = [await weights('hello'), await weights('orders'), await weights('payments')]
    const plan = await typed(`disco drain --host ${HOST} --dry-run`)
    expect(plan).toMatchObject({ code: 0, stdout: expect.stringMatching(/^(.* would be drained.*\n){3}$/) })
    expect(await typed(`disco weight --host ${HOST} 0 --yes`)).toMatchObject({ code: 0 })
    expect(await typed(`disco wait --host ${HOST} --for drained`)).toMatchObject({ code: 0 })
    const { stdout } = await bash(`disco call hello SayHello --n 60 --json`)
    const { endpoints } = JSON.parse(stdout) as { endpoints: { addr: string; picks: number }[] }
    expect(endpoints.find(({ addr }) => addr === onCall.at('hello', 3))?.picks ?? 0).toBe(0)
    expect(await typed(`disco drain --host ${HOST} --undo --yes`)).toMatchObject({ code: 0 })
    expect([await weights('hello'), await weights('orders'), await weights('payments')]).toEqual(before)
  })

  test('3. a host is drained if one of its endpoints is drained already, and if all are', async () => {
    await using onCall = await start()
    const names = { [HOST]: '127.0.0.2' }
    const words = commandOf('drain-host.md', `disco weight --host ${HOST} 0 --yes`, names)
    const first = await bash(words)
    expect(first, first.stderr).toMatchObject({ code: 0 })
    expect(first.stdout).toContain(`payments ${onCall.drained} already has weight 0; not written`)
    const rev = await revision(etcd)
    expect(await bash(words)).toMatchObject({ code: 0 })
    expect(await revision(etcd)).toBe(rev)
    const wait = commandOf('drain-host.md', `disco wait --host ${HOST} --for drained`, names)
    expect(await bash(wait)).toMatchObject({ code: 0 })
  })

  test('3. a host is drained for good: its keys are deleted after the grace period', async () => {
    await using _ = await start()
    const names = { [HOST]: '127.0.0.3', '30s': '1s' }
    const typed = (words: string) => bash(commandOf('drain-host.md', words, names))
    expect(await typed(`disco drain --host ${HOST} --grace 30s --yes`)).toMatchObject({ code: 0 })
    expect(await typed(`disco wait --host ${HOST} --for gone`)).toMatchObject({ code: 0 })
    expect(await typed(`disco ls --host ${HOST}`)).toMatchObject({ code: 4, stdout: '' })
  })

  test('4. a canary gets 5 % under a guard, never more, and its weights are restored', async () => {
    await using onCall = await start()
    const canary = onCall.at('hello', 5)
    const before = await weights('hello')
    const first = await revision(etcd)
    const words =
      "disco shift hello version=2.0.0 --steps 25%,50%,100% --every 1s --call SayHello --assert 'errors<1%' --yes"
    const shift = await bash(commandOf('shift.md', words, { '25%,50%,100%': '5%' }))
    expect(shift, shift.stderr).toMatchObject({ code: 0 })
    const last = await revision(etcd)
    expect(last).toBeGreaterThan(first)
    for (let rev = first + 1; rev <= last; rev++) {
      const then = await weights('hello', '--rev', String(rev))
      const sum = Object.values(then).reduce<number>((total, weight) => total + (weight ?? 0), 0)
      expect((then[canary] ?? 0) / sum).toBeLessThanOrEqual(0.05)
    }
    expect(await bash(commandOf('shift.md', 'disco shift hello --undo --yes'))).toMatchObject({ code: 0 })
    expect(await weights('hello')).toEqual(before)
  })

  test('5. 1.0.0 is removed once three endpoints of 2.0.0 are healthy, not before', async () => {
    await using onCall = await start()
    const words =
      "disco wait hello -l version=2.0.0 --for 'healthy>=3' --timeout 5m && disco drain hello -l version=1.0.0 --yes"
    const gate = disco.shell(commandOf('gate-pipeline.md', words, { '--yes': '--yes --grace 1s' }))
    await gate.printed('healthy 1')
    const second = await onCall.serve('hello', '2.0.0', 4)
    await gate.printed('healthy 2')
    expect(Object.keys(await weights('hello', '-l', 'version=1.0.0'))).toHaveLength(4)
    const third = await onCall.serve('hello', '2.0.0', 1)
    const { code, stderr } = await gate.exited()
    expect(code, stderr).toBe(0)
    expect(Object.keys(await weights('hello')).toSorted()).toEqual(
      [onCall.at('hello', 5), second, third].toSorted(),
    )
  })
})
