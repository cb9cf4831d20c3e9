import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Disco, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { leaseIds, revision, storedText } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import {
  acceptingPort,
  isAlive,
  isUp,
  killServerOf,
  killSupervised,
  ownService,
  pidIn,
  serverCommand,
  supervise,
} from '../support/supervised.js'

let etcd: RealEtcd
let disco: Disco

beforeAll(async () => {
  etcd = await RealEtcd.start()
  disco = new Disco(etcd.endpoint)
})
afterAll(async () => {
  killSupervised()
  await disco.stopAll()
  await etcd.stop()
})

/** A shell script as a command; says its pid first. */
function script(body: string): string[] {
  return ['bash', '-c', `echo "pid $$"; ${body}`]
}

const WAITS = 'while :; do sleep 0.1; done'

async function weightOf(service: string, port: number): Promise<number | null> {
  const text = await storedText(etcd, `/${service}/127.0.0.1:${port}`)
  return text === '' ? null : (JSON.parse(text) as { weight: number }).weight
}

async function untilWeight(service: string, port: number, weight: number | null): Promise<void> {
  await until(
    async () => (await weightOf(service, port)) === weight,
    () => `${service} ${port} to have weight ${weight}`,
  )
}

/** The weights that a key had, in order, ending with null when it went. */
async function history(service: string, port: number): Promise<(number | null)[]> {
  const last = await revision(etcd)
  const weights: (number | null)[] = []
  for (let rev = 1; rev <= last; rev++) {
    const text = await etcd.ctl(
      'get',
      `/${service}/127.0.0.1:${port}`,
      '--rev',
      String(rev),
      '--print-value-only',
    )
    const weight = text === '' ? null : (JSON.parse(text) as { weight: number }).weight
    if (weight !== weights.at(-1) && (weights.length > 0 || weight !== null)) weights.push(weight)
  }
  return weights
}

describe.concurrent('a supervised server', () => {
  test('is registered when it is SERVING, knows its name, and leaves by weight 0, drain, deregister, SIGTERM', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', '--weight', '3'],
      command: serverCommand(port),
    })
    await isUp(held)
    expect(held.stdout).toContain(`serving ${service} at 127.0.0.1:${port}`)
    expect(held.stderr).toMatch(
      new RegExp(
        `→ started .* \\(pid \\d+\\); waiting for grpc.health on 127.0.0.1:${port}\\n✓ SERVING after .*; registered ${service} 127.0.0.1:${port} weight 3, ttl 2s, lease \\w+\\n  Ctrl-C: drain 0.3s, deregister, stop child. Twice: now.`,
      ),
    )
    await untilWeight(service, port, 3)
    held.child.kill('SIGINT')
    await untilWeight(service, port, 0)
    expect(held.stdout).not.toContain('SIGTERM')
    await untilWeight(service, port, null)
    expect(held.stdout).not.toContain('SIGTERM')
    expect(await held.exited()).toMatchObject({ code: 0 })
    expect(held.stdout).toContain('SIGTERM')
    expect(held.stderr).toMatch(/→ draining: weight 0 for 0\.3s[\s\S]*✓ deregistered[\s\S]*→ stopping/)
    expect(await history(service, port)).toEqual([3, 0, null])
  })

  test('that ignores SIGTERM is killed, with what it started, and that is exit 0', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const stubborn = script(`trap '' TERM; (trap '' TERM; echo "child pid $BASHPID"; ${WAITS}) & ${WAITS}`)
    const held = supervise(disco, service, port, { flags: ['--kill-after', '400ms'], command: stubborn })
    await isUp(held)
    await held.printed('child pid')
    const pids = [...held.stdout.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
    expect(pids).toHaveLength(2)
    const { code, stderr } = await held.end('SIGTERM')
    expect(code).toBe(0)
    expect(stderr).toContain('SIGKILL')
    expect(pids.filter(isAlive)).toEqual([])
    server.close()
  })

  test('that crashes at once was never registered, and its code is ours', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const { code, stderr } = await supervise(disco, service, port, { command: script('exit 42') }).exited()
    expect(code).toBe(42)
    expect(stderr).toContain('ended (exit 42)')
    expect(await history(service, port)).toEqual([])
  })

  test('that forks and ends itself takes with it what it left running', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const forks = script(`(echo "child pid $BASHPID"; ${WAITS}) & sleep 1.5; exit 5`)
    const held = supervise(disco, service, port, { command: forks })
    await isUp(held)
    await held.printed('child pid')
    const child = pidIn(held.stdout.slice(held.stdout.indexOf('child')))
    expect((await held.exited()).code).toBe(5)
    expect(isAlive(child)).toBe(false)
    expect(await weightOf(service, port)).toBeNull()
    server.close()
  })

  test('killed by -9: its key goes at once, long before the TTL, and the code says so', async () => {
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

  test('a supervisor killed by -9: the key goes with its TTL, the server goes on', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await isUp(held)
    const pid = pidIn(held.stdout)
    held.child.kill('SIGKILL')
    await once(held.child, 'exit')
    const startMs = performance.now()
    await untilWeight(service, port, null)
    // The TTL is 2 s; etcd looks for expired leases twice a second, and may be late by as much again.
    expect(performance.now() - startMs).toBeLessThan(4_000)
    expect(isAlive(pid)).toBe(true)
    killServerOf(held)
    server.close()
  })

  test('a second signal skips the drain: the lease ends now, and the exit code is 130', async () => {
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

  test('a signal more while it takes its time kills it', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, {
      flags: ['--drain', '0', '--kill-after', '10m'],
      command: script(`trap '' TERM; ${WAITS}`),
    })
    await isUp(held)
    held.child.kill('SIGTERM')
    await held.printed('→ stopping')
    expect((await held.end('SIGTERM')).code).toBe(130)
    expect(isAlive(pidIn(held.stdout))).toBe(false)
    server.close()
  })

  test('stopped before it was ever up: not registered, exit 0', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await held.printed('pid')
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await history(service, port)).toEqual([])
  })

  test('that exits by a code of its own after our SIGTERM: the code is ours', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(`trap 'exit 9' TERM; ${WAITS}`) })
    await isUp(held)
    expect((await held.end('SIGTERM')).code).toBe(9)
    server.close()
  })

  test('a command that cannot be run: exit 2, nothing registered', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const { code, stderr } = await supervise(disco, service, port, { command: ['/no/such/thing'] }).exited()
    expect(code).toBe(2)
    expect(stderr).toContain('Cannot run /no/such/thing')
    expect(await history(service, port)).toEqual([])
  })
})

describe.concurrent('health', () => {
  test('grpc: deregistered after --fall, back after --rise with the weight that an operator had set', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', '--probe-interval', '50ms', '--fall', '2', '--rise', '2'],
      command: serverCommand(port),
    })
    await isUp(held)
    expect((await disco.run('weight', service, `127.0.0.1:${port}`, '7', '--force')).code).toBe(0)
    await held.printed('weight 1 → 7')
    // A signal that means nothing to us is the server's.
    held.child.kill('SIGUSR2')
    await held.printed('NOT_SERVING')
    await untilWeight(service, port, null)
    expect(held.stderr).toContain('! unhealthy: NOT_SERVING; deregistering until it is back')
    held.child.kill('SIGUSR2')
    await held.printed('SERVING again; registered')
    expect(await weightOf(service, port)).toBe(7)
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await history(service, port)).toEqual([1, 7, null, 7, 0, null])
  })

  test('--unhealthy weight0: the key stays at weight 0, and gets its weight back', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, {
      flags: [
        ...['--probe', 'grpc', '--probe-interval', '50ms', '--fall', '1'],
        ...['--unhealthy', 'weight0', '--weight', '5'],
      ],
      command: serverCommand(port),
    })
    await isUp(held)
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, 0)
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, 5)
    // A weight that somebody gives it meanwhile is not undone.
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, 0)
    expect((await disco.run('weight', service, `127.0.0.1:${port}`, '8', '--force')).code).toBe(0)
    held.child.kill('SIGUSR2')
    await held.printed('NOT_SERVING\nSERVING', 2)
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await history(service, port)).toEqual([5, 0, 5, 0, 8, 0, null])
  })

  test('--probe without a command: the server of somebody else; Ctrl-C deregisters at once', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    server.close()
    await once(server, 'close')
    const flags = ['--probe', 'tcp', '--probe-interval', '50ms', '--fall', '1', '--ttl', '2']
    const held = disco.start('register', service, `127.0.0.1:${port}`, ...flags)
    await held.printed('→ waiting for')
    expect(await weightOf(service, port)).toBeNull()
    server.listen(port, '127.0.0.1')
    await held.printed('"type":"added"')
    server.close()
    await held.printed('"type":"gone"')
    expect(held.stderr).toContain('! unhealthy: connection refused')
    server.listen(port, '127.0.0.1')
    await held.printed('"type":"added"', 2)
    expect((await held.end('SIGINT')).code).toBe(0)
    expect(held.events().map(({ type }) => type)).toEqual(['added', 'gone', 'added', 'gone'])
    server.close()
  })

  test('a server that speaks no grpc.health.v1 is not SERVING, and is told so', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', '--probe-start', '1500ms', '--kill-after', '200ms'],
      command: script(`exec node -e "require('node:http').createServer().listen(${port}, '127.0.0.1')"`),
    })
    const { code, stderr } = await held.exited()
    expect(code).toBe(5)
    expect(stderr).toContain('✗ Not healthy after 1.5s: answers, but not as gRPC')
    expect(isAlive(pidIn(held.stdout))).toBe(false)
    expect(await history(service, port)).toEqual([])
  })
})

describe.concurrent('whatever happens to the key, the server goes on', () => {
  test('deregistered from outside', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await isUp(held)
    expect((await disco.run('unregister', service, `127.0.0.1:${port}`)).code).toBe(0)
    await held.printed('was deregistered from outside; not put back')
    await held.printed('the server goes on, unregistered')
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    expect((await held.end('SIGTERM')).code).toBe(0)
    server.close()
  })

  test('taken over: said, not touched, and exit 6 at the end', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await isUp(held)
    const other = disco.start('register', service, `127.0.0.1:${port}`, '--takeover', '--weight', '9')
    await held.printed('was taken over by lease')
    await held.printed('the server goes on, unregistered')
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    const { code, stderr } = await held.end('SIGTERM')
    expect(code).toBe(6)
    expect(stderr).toContain('✗')
    expect(await weightOf(service, port)).toBe(9)
    await other.end('SIGTERM')
    server.close()
  })

  test('but a key that somebody renews from the start ends it, with exit 6', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const other = disco.start('register', service, `127.0.0.1:${port}`, '--ttl', '2', '--weight', '9')
    await other.printed('"type":"added"')
    const held = supervise(disco, service, port, { command: script(WAITS) })
    const { code, stderr, stdout } = await held.exited()
    expect(code).toBe(6)
    expect(stderr).toContain('is registered by someone who renews it')
    expect(isAlive(pidIn(stdout))).toBe(false)
    expect(await weightOf(service, port)).toBe(9)
    await other.end('SIGTERM')
    server.close()
  })
})

describe.concurrent('what is registered, and what is printed', () => {
  test('--meta, --id and --advertise; several addresses share a lease', async () => {
    const service = ownService()
    const [one, two] = [await acceptingPort(), await acceptingPort()]
    const held = disco.start(
      ...[
        'register',
        service,
        `127.0.0.1:${one.port}`,
        `127.0.0.1:${two.port}`,
        '--ttl',
        '2',
        '--drain',
        '0',
      ],
      ...['--meta', 'zone=a', '--meta', 'note=x=y', '--id', 'one', '--advertise', '203.0.113.9'],
      ...['--', ...script(`echo "at $DISCO_ADDR"; ${WAITS}`)],
    )
    await isUp(held)
    const key = `/${service}/203.0.113.9:${one.port}`
    await until(
      async () => (await storedText(etcd, key)) !== '',
      () => key,
    )
    expect(JSON.parse(await storedText(etcd, key))).toEqual({
      ...{ name: service, addr: `203.0.113.9:${one.port}`, version: '', weight: 1 },
      ...{ id: 'one', metadata: { zone: 'a', note: 'x=y' } },
    })
    expect(held.stdout).toContain(`at 203.0.113.9:${one.port},203.0.113.9:${two.port}`)
    const leases = JSON.parse(await etcd.ctl('get', `/${service}/`, '--prefix', '-w', 'json')) as {
      kvs: { lease: number }[]
    }
    expect(leases.kvs).toHaveLength(2)
    expect(new Set(leases.kvs.map(({ lease }) => lease)).size).toBe(1)
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await etcd.ctl('get', `/${service}/`, '--prefix')).toBe('')
    one.server.close()
    two.server.close()
  })

  test('what the server prints is on standard output alone; under --json the events are, and it gives way', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const command = script(`echo out; echo err >&2; ${WAITS}`)
    const people = supervise(disco, service, port, { command })
    await isUp(people)
    await people.end('SIGTERM')
    expect(people.stdout).toMatch(/^pid \d+\nout\n$/)
    expect(people.stderr).toContain('err')
    const script_ = supervise(disco, service, port, { flags: ['--json'], command })
    await script_.printed('"type":"added"')
    await script_.end('SIGTERM')
    expect(script_.events().map(({ type }) => type)).toEqual(['added', 'weight', 'gone'])
    expect(script_.stderr).toMatch(/pid \d+\nout\n/)
    server.close()
  })

  test('bad flags are refused before anything is started', async () => {
    const cases: [flags: string[], said: string][] = [
      [['--probe', 'ftp://x'], 'is not a probe'],
      [['--probe', 'http://'], 'is not a probe'],
      [['--meta', 'zone'], 'is no metadata'],
      [['--meta', 'a=1', '--meta', 'a=2'], 'more than once'],
      [['--advertise', 'a b'], 'is no host'],
      [['--admin', '0.0.0.0:9001'], 'can be reached from other machines'],
      [['--admin', 'unix:/tmp/x'], 'listens on a TCP port'],
      [['--admin-token-file', '/tmp/x'], 'needs --admin'],
      [['--admin', ':0', '--admin-token-file', '/no/such/file'], 'Cannot read the token file'],
      [['--drain', '1000h'], 'too long to wait'],
      [['--nonsense'], 'Nonexistent flag'],
      [['127.0.0.1:1', '127.0.0.1:1'], 'more than once'],
      [['--layout', 'go-zero', '--unhealthy', 'weight0'], 'carries no weight'],
    ]
    const all = cases.map(([flags]) =>
      disco.run('register', 'svc', '127.0.0.1:1', ...flags, '--', ...script('true')),
    )
    for (const [index, { code, stdout, stderr }] of (await Promise.all(all)).entries()) {
      const [flags, said] = cases[index] ?? []
      expect(stderr, String(flags)).toContain(said)
      expect({ code, stdout }, String(flags)).toEqual({ code: 2, stdout: '' })
    }
  })

  test('a layout without weights deregisters first, and the server gets its time after that', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const flags = ['--layout', 'go-zero', '--drain', '700ms']
    const held = supervise(disco, service, port, { flags, command: script(WAITS) })
    await isUp(held)
    held.child.kill('SIGTERM')
    await held.printed('✓ deregistered')
    expect(isAlive(pidIn(held.stdout))).toBe(true)
    expect(held.stderr).toContain('no weight to set, so deregistering, then waiting 0.7s')
    expect((await held.exited()).code).toBe(0)
    server.close()
  })
})

test('nothing of all that is left in etcd', async () => {
  await until(
    async () => (await leaseIds(etcd)).length === 0,
    () => 'the last lease to lapse',
  )
  expect(await etcd.ctl('get', '/', '--prefix', '--keys-only')).toBe('')
})
