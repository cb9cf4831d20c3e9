import { describe, expect, test } from 'vitest'
import { storedText, untilStored } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { script, WAITS } from '../support/script.js'
import { acceptingPort, isUp, ownService, serverCommand, supervise } from '../support/supervised.js'
import { supervisedOnEtcd } from '../support/supervised-on-etcd.js'

const { etcd, disco, history, nothingIsLeft } = await supervisedOnEtcd()

describe.concurrent('a supervised server', () => {
  test('is registered once SERVING, knows its service, and is stopped with weight 0, drain, deregistration and SIGTERM', async () => {
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

  test('that crashes at once is never registered, and its exit code is returned', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const { code, stderr } = await supervise(disco, service, port, { command: script('exit 42') }).exited()
    expect(code).toBe(42)
    expect(stderr).toContain('ended (exit 42)')
    expect(await history(service, port)).toEqual([])
  })

  test('that is stopped before it is healthy is not registered, with exit code 0', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, { command: script(WAITS) })
    await held.printed('pid')
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await history(service, port)).toEqual([])
  })

  test('whose command cannot be run is not registered, with exit code 2', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const { code, stderr } = await supervise(disco, service, port, { command: ['/no/such/thing'] }).exited()
    expect(code).toBe(2)
    expect(stderr).toContain('Cannot run /no/such/thing')
    expect(await history(service, port)).toEqual([])
  })
})

describe.concurrent('disco register with a command', () => {
  test('supports --meta, --id and --advertise, and one lease for several addresses', async () => {
    const service = ownService()
    const [one, two] = [await acceptingPort(), await acceptingPort()]
    const held = disco.start(
      'register',
      service,
      `127.0.0.1:${one.port}`,
      `127.0.0.1:${two.port}`,
      '--ttl',
      '60',
      '--drain',
      '0',
      '--meta',
      'zone=a',
      '--meta',
      'note=x=y',
      '--id',
      'one',
      '--advertise',
      '203.0.113.9',
      '--',
      ...script(`echo "at $DISCO_ADDR"; ${WAITS}`),
    )
    await isUp(held)
    const key = `/${service}/203.0.113.9:${one.port}`
    await untilStored(etcd, key)
    expect(JSON.parse(await storedText(etcd, key))).toEqual({
      name: service,
      addr: `203.0.113.9:${one.port}`,
      version: '',
      weight: 1,
      id: 'one',
      metadata: { zone: 'a', note: 'x=y' },
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

  test('passes only the output of the server to standard output, or only events with --json', async () => {
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

  test('refuses invalid flags before the server starts', async () => {
    const cases: [flags: string[], message: string][] = [
      [['--probe', 'ftp://x'], 'Invalid --probe "ftp://x"'],
      [['--probe', 'http://'], 'Invalid --probe "http://"'],
      [['--meta', 'zone'], 'Invalid --meta "zone": expected KEY=VALUE'],
      [['--meta', 'a=1', '--meta', 'a=2'], 'more than once'],
      [['--advertise', 'a b'], 'Invalid --advertise "a b": expected a host name'],
      [['--admin', '0.0.0.0:9001'], '--admin needs --admin-token-file: other machines can reach 0.0.0.0'],
      [['--admin', 'unix:/tmp/x'], 'Invalid --admin "unix:/tmp/x": expected a TCP address'],
      [['--admin-token-file', '/tmp/x'], 'needs --admin'],
      [['--admin', ':0', '--admin-token-file', '/no/such/file'], 'Cannot read /no/such/file'],
      [['--drain', '1000h'], 'Invalid --drain "1000h": expected at most 596h'],
      [['--nonsense'], 'has no flag --nonsense'],
      [['127.0.0.1:1', '127.0.0.1:1'], 'more than once'],
      [['--layout', 'go-zero', '--probe', 'tcp', '--unhealthy', 'weight0'], 'carries no weight'],
    ]
    const all = cases.map(([flags]) =>
      disco.run('register', 'svc', '127.0.0.1:1', ...flags, '--', ...script('true')),
    )
    for (const [index, { code, stdout, stderr }] of (await Promise.all(all)).entries()) {
      const [flags, message] = cases[index] ?? []
      expect(stderr, String(flags)).toContain(message)
      expect({ code, stdout }, String(flags)).toEqual({ code: 2, stdout: '' })
    }
  })
})

test('no key or lease is left in etcd', nothingIsLeft)
