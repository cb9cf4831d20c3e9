import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Backend } from '../support/backend.js'
import { Disco, until } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { findEtcd } from '../support/etcd-binary.js'
import { grantLease, leaseIds, storedText } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { recordedUnder, weightsOf } from '../support/recorded.js'
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

/** A shell script as a command; says its pid as soon as it has made up its mind about SIGTERM. */
function script(body: string, { onTerm }: { onTerm?: string } = {}): string[] {
  const trap = onTerm === undefined ? '' : `trap '${onTerm}' TERM; `
  return ['bash', '-c', `${trap}echo "pid $$"; ${body}`]
}

const WAITS = 'while :; do sleep 0.1; done'

const keyOf = (service: string, port: number) => `/${service}/127.0.0.1:${port}`

async function weightOf(service: string, port: number): Promise<number | null> {
  const text = await storedText(etcd, keyOf(service, port))
  return text === '' ? null : (JSON.parse(text) as { weight: number }).weight
}

/** For what stays so: what passes is looked up in the history. */
async function untilWeight(service: string, port: number, weight: number | null): Promise<void> {
  await until(
    async () => (await weightOf(service, port)) === weight,
    () => `${service} ${port} to have weight ${weight}`,
  )
}

function history(service: string, port: number): Promise<(number | null)[]> {
  return weightsOf(etcd, keyOf(service, port))
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
        `→ started .* \\(pid \\d+\\); waiting for grpc.health on 127.0.0.1:${port}\\n✓ SERVING after .*; registered ${service} 127.0.0.1:${port} weight 3, ttl 60s, lease \\w+\\n  Ctrl-C: drain 0.3s, deregister, stop child. Twice: now.`,
      ),
    )
    expect(await held.end('SIGINT')).toMatchObject({ code: 0 })
    expect(held.stdout).toContain('SIGTERM')
    expect(held.stderr).toMatch(/→ draining: weight 0 for 0\.3s[\s\S]*✓ deregistered[\s\S]*→ stopping/)
    expect(await history(service, port)).toEqual([3, 0, null])
  })

  test('is told to end only when its key is gone', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const look = `ETCDCTL_API=3 ${findEtcd('etcdctl')} --endpoints ${etcd.endpoint} get ${keyOf(service, port)}`
    const looks = script(WAITS, { onTerm: `echo "in the registry: [$(${look})]"; exit 0` })
    const held = supervise(disco, service, port, { command: looks })
    await isUp(held)
    const { code, stdout } = await held.end('SIGTERM')
    expect({ code, stdout }).toMatchObject({
      ...{ code: 0, stdout: expect.stringContaining('in the registry: []') as string },
    })
    expect(await history(service, port)).toEqual([1, 0, null])
    server.close()
  })

  test('that ignores SIGTERM is killed, with what it started, and that is exit 0', async () => {
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
    const held = supervise(disco, service, port, { flags: ['--ttl', '2'], command: script(WAITS) })
    await isUp(held)
    const pid = pidIn(held.stdout)
    held.child.kill('SIGKILL')
    await once(held.child, 'exit')
    // By etcd's own clock: a lease of the TTL and 2 s that is granted now outlives it.
    const [key, witness] = [keyOf(service, port), `/${service}/witness`]
    await etcd.ctl('put', witness, '{}', `--lease=${await grantLease(etcd, 4)}`)
    await until(
      async () => (await storedText(etcd, witness)) === '',
      () => 'the later lease to lapse',
    )
    const gone = (await recordedUnder(etcd, `/${service}/`)).filter(({ weight }) => weight === null)
    expect(gone.map((event) => event.key)).toEqual([key, witness])
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
      command: script(WAITS, { onTerm: '' }),
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
    const held = supervise(disco, service, port, { command: script(WAITS, { onTerm: 'exit 9' }) })
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

/** Answers 503 or, after SIGUSR2, 302, and says what it was asked. */
function httpServer(port: number): string[] {
  const code = `
    let status = 503
    process.on('SIGUSR2', () => (status = status === 503 ? 302 : 503))
    require('node:http').createServer((request, response) => {
      console.log('asked for ' + request.url + ': ' + status)
      response.writeHead(status, { location: '/elsewhere' }).end()
    }).listen(${port}, '127.0.0.1', () => console.log('pid ' + process.pid))`
  return [process.execPath, '-e', code]
}

/** Often, and with more patience than a busy machine takes: a test's servers are unhealthy when they say so. */
const PROBED_OFTEN = ['--probe-interval', '50ms', '--probe-timeout', '30s']

describe.concurrent('health', () => {
  test('grpc: deregistered after --fall, back after --rise with the weight that an operator had set', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', ...PROBED_OFTEN, '--fall', '2', '--rise', '2'],
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
        ...['--probe', 'grpc', ...PROBED_OFTEN, '--fall', '1'],
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
    const flags = ['--probe', 'tcp', ...PROBED_OFTEN, '--fall', '1', '--ttl', '60']
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

  test('http: healthy while it answers 200 to 399, on a port of its own', async () => {
    const [service, [port = 0, health = 0]] = [ownService(), await freePorts(2)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', `http://:${health}/ready?now`, ...PROBED_OFTEN, '--fall', '1'],
      command: httpServer(health),
    })
    await held.printed('asked for /ready?now: 503')
    expect(await weightOf(service, port)).toBeNull()
    held.child.kill('SIGUSR2')
    await isUp(held)
    expect(held.stderr).toContain(`waiting for http://127.0.0.1:${health}/ready?now to answer`)
    expect(held.stderr).toContain('✓ HTTP 302 Found after')
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, null)
    expect(held.stderr).toContain('! unhealthy: HTTP 503 Service Unavailable; deregistering until it is back')
    expect((await held.end('SIGTERM')).code).toBe(0)
  })

  test('grpc:SERVICE asks about that service', async () => {
    const service = ownService()
    await using backend = await Backend.start()
    const held = disco.start('register', service, backend.addr, '--ttl', '60', '--probe', 'grpc:a.Service')
    await held.printed('"type":"added"')
    expect(held.stderr).toContain(`waiting for grpc.health of a.Service on ${backend.addr}`)
    expect(backend.health?.lastQuestion).toBe('a.Service')
    expect((await held.end('SIGTERM')).code).toBe(0)
  })

  test('a server that speaks no grpc.health.v1 is not SERVING, and is told so', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', '--probe-start', '1s', '--kill-after', '200ms'],
      command: script(WAITS),
    })
    const { code, stderr, stdout } = await held.exited()
    expect(code).toBe(5)
    expect(stderr).toMatch(/✗ Not healthy after 1s: .+/)
    expect(isAlive(pidIn(stdout))).toBe(false)
    expect(await history(service, port)).toEqual([])
    server.close()
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
    const other = disco.start('register', service, `127.0.0.1:${port}`, '--ttl', '6', '--weight', '9')
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

describe.concurrent('whoever reads what it says may go: it holds on, and ends in order', () => {
  test('pipes that are closed', async () => {
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

  test('events that nobody reads', async () => {
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

  test('a terminal that is closed: that is a SIGHUP, and nobody hears the rest', async () => {
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

/** On a terminal of its own, where the words of a command may have no quotes in them. */
const SAYS_ITS_PID = 'console.log(`I am pid ` + process.pid); setInterval(() => {}, 1000)'

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
        '60',
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
    await people.printed(/\nerr\n/)
    await people.end('SIGTERM')
    expect(people.stdout).toMatch(/^pid \d+\nout\n$/)
    expect(people.stderr).toContain('err')
    const asked = supervise(disco, service, port, { flags: ['--json', '--drain', '10m'], command })
    await asked.printed('"type":"added"')
    await asked.printed(/\nerr\n/)
    asked.child.kill('SIGTERM')
    await asked.printed('"type":"weight"')
    await asked.end('SIGTERM')
    expect(asked.events().map(({ type }) => type)).toEqual(['added', 'weight', 'gone'])
    expect(asked.stderr).toMatch(/pid \d+\nout\n/)
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

test('nothing of all that is left in etcd', async () => {
  await until(
    async () => (await leaseIds(etcd)).length === 0,
    () => 'the last lease to lapse',
  )
  expect(await etcd.ctl('get', '/', '--prefix', '--keys-only')).toBe('')
})
