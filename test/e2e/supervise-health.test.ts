import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { Backend } from '../support/backend.js'
import { freePorts } from '../support/ports.js'
import { isAlive, pidIn, script, WAITS } from '../support/script.js'
import { acceptingPort, isUp, ownService, serverCommand, supervise } from '../support/supervised.js'
import { supervisedOnEtcd } from '../support/supervised-on-etcd.js'

const { disco, weightOf, untilWeight, history, nothingIsLeft } = await supervisedOnEtcd()

/** An HTTP server that prints each request and answers 503, or 302 after SIGUSR2. */
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

/** Frequent probes with a deadline that a busy machine meets, so that servers become unhealthy only by their answer. */
const PROBED_OFTEN = ['--probe-interval', '50ms', '--probe-timeout', '30s']

describe.concurrent('health of a supervised server', () => {
  test('by grpc: it is deregistered after --fall failures, and registered with its last weight after --rise successes', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', ...PROBED_OFTEN, '--fall', '2', '--rise', '2'],
      command: serverCommand(port),
    })
    await isUp(held)
    expect((await disco.run('weight', service, `127.0.0.1:${port}`, '7', '--force')).code).toBe(0)
    await held.printed('weight 1 → 7')
    // SIGUSR2 is forwarded to the server.
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

  test('with --unhealthy weight0: the key stays at weight 0 until the server is healthy again', async () => {
    const [service, [port = 0]] = [ownService(), await freePorts(1)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', ...PROBED_OFTEN, '--fall', '1', '--unhealthy', 'weight0', '--weight', '5'],
      command: serverCommand(port),
    })
    await isUp(held)
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, 0)
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, 5)
    // A weight that another client sets while the server is unhealthy is kept.
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, 0)
    expect((await disco.run('weight', service, `127.0.0.1:${port}`, '8', '--force')).code).toBe(0)
    held.child.kill('SIGUSR2')
    await held.printed('NOT_SERVING\nSERVING', 2)
    expect((await held.end('SIGTERM')).code).toBe(0)
    expect(await history(service, port)).toEqual([5, 0, 5, 0, 8, 0, null])
  })

  test('by --probe without a command: an external server is registered, and Ctrl-C deregisters it at once', async () => {
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
    expect(held.stderr).toMatch(/! unhealthy: connection (refused|reset); deregistering until it is back/)
    server.listen(port, '127.0.0.1')
    await held.printed('"type":"added"', 2)
    expect((await held.end('SIGINT')).code).toBe(0)
    expect(held.events().map(({ type }) => type)).toEqual(['added', 'gone', 'added', 'gone'])
    server.close()
  })

  test('by http: it is healthy while it answers 200 to 399, on another port', async () => {
    const [service, [port = 0, health = 0]] = [ownService(), await freePorts(2)]
    const held = supervise(disco, service, port, {
      flags: ['--probe', `http://:${health}/ready?now`, ...PROBED_OFTEN, '--fall', '1'],
      command: httpServer(health),
    })
    await held.printed('asked for /ready?now: 503')
    expect(await weightOf(service, port)).toBeNull()
    held.child.kill('SIGUSR2')
    await isUp(held)
    expect(held.stderr).toContain(`waiting for http://127.0.0.1:${health}/ready?… to answer`)
    expect(held.stderr).toContain('✓ HTTP 302 Found after')
    held.child.kill('SIGUSR2')
    await untilWeight(service, port, null)
    expect(held.stderr).toContain('! unhealthy: HTTP 503 Service Unavailable; deregistering until it is back')
    expect((await held.end('SIGTERM')).code).toBe(0)
  })

  test('by grpc:SERVICE: that service is checked', async () => {
    const service = ownService()
    await using backend = await Backend.start()
    const held = disco.start('register', service, backend.addr, '--ttl', '60', '--probe', 'grpc:a.Service')
    await held.printed('"type":"added"')
    expect(held.stderr).toContain(`waiting for grpc.health of a.Service on ${backend.addr}`)
    expect(backend.health?.lastQuestion).toBe('a.Service')
    expect((await held.end('SIGTERM')).code).toBe(0)
  })

  test('without grpc.health.v1 is reported as not SERVING, with a message', async () => {
    const service = ownService()
    const { port, server } = await acceptingPort()
    const held = supervise(disco, service, port, {
      flags: ['--probe', 'grpc', '--probe-start', '1s', '--kill-after', '200ms'],
      command: script(WAITS),
    })
    const { code, stderr } = await held.exited()
    expect(code).toBe(5)
    expect(stderr).toMatch(/✗ Not healthy after 1s: .+/)
    expect(isAlive(pidIn(stderr))).toBe(false)
    expect(await history(service, port)).toEqual([])
    server.close()
  })
})

test('no key or lease is left in etcd', nothingIsLeft)
