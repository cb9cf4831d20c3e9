import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandOf } from '../support/commands-of-page.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { OnCall } from '../support/on-call.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const BLACK_HOLE = '127.0.0.4:9'

/** A user with a home folder of their own, which holds contexts, a cache and a working folder. */
async function atHome() {
  const folder = await mkdtemp(join(tmpdir(), 'disco-on-call-'))
  const env = { XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder }
  const start = (line: string, clock: readonly string[] = []) =>
    disco.with({ env, node: clock }).shell(`set -o pipefail; cd '${folder}'; ${line}`)
  const text = (name: string) => readFile(join(folder, name), 'utf8')
  const bash = (line: string, clock?: readonly string[]) => start(line, clock).exited()
  return {
    start,
    bash,
    text,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** A clock that is 11 minutes slow, so that revision samples taken with it are 11 minutes old. */
const ELEVEN_MINUTES_AGO = [
  '--import',
  'data:text/javascript,const%20now=Date.now;Date.now=()=>now()-660000',
] as const

describe('on call: releases and changes', () => {
  test('6. load balancing is proved in CI with a report, and a dead endpoint fails the strict gate', async () => {
    await using home = await atHome()
    await using onCall = await OnCall.start(etcd, BLACK_HOLE)
    const gate = 'disco call hello SayHello --n 200 --report balancing.html --report balancing.xml'
    const words = commandOf('prove-balancing.md', gate)
    const lax = await home.bash(words)
    expect(lax, lax.stderr).toMatchObject({ code: 0 })
    expect(lax.stdout).toContain(`PASS, but 20.0% of the weight is unserved: ${onCall.refused}`)
    expect(await home.bash(`${words} --strict`)).toMatchObject({ code: 8 })
    expect(await home.text('balancing.xml')).toContain('<failure')
    expect((await home.bash(`disco unregister hello ${onCall.refused}`)).code).toBe(0)
    expect(await home.bash(`${words} --strict`)).toMatchObject({ code: 0 })
    expect(await home.text('balancing.xml')).not.toContain('<failure')
    expect(await home.text('balancing.html')).toContain(onCall.at('hello', 1))
  })

  test('7. a hook runs on each change, in order', async () => {
    await using home = await atHome()
    await using onCall = await OnCall.start(etcd, BLACK_HOLE)
    const words = 'disco watch hello --exec \'echo "$DISCO_TYPE $DISCO_ADDR $DISCO_FROM $DISCO_TO"\''
    const watch = home.start(`${commandOf('hooks.md', words)} --count 3`)
    await watch.printed('synced')
    const addr = onCall.at('hello', 1)
    const [third, fifth] = [onCall.at('hello', 3), onCall.at('hello', 5)]
    const change = `disco weight hello ${addr} 5 && disco weight hello ${third} 0 && disco drain hello ${fifth} --grace 5s`
    const changing = home.start(change)
    const { code, stdout } = await watch.exited()
    expect(code).toBe(0)
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'synced',
      `weight ${addr} 1 5`,
      `weight ${third} 1 0`,
      `weight ${fifth} 1 0`,
      '',
    ])
    await changing.end('SIGINT')
  })

  test('8. the changes of the last ten minutes are listed, and no older ones', async () => {
    await using home = await atHome()
    await using onCall = await OnCall.start(etcd, BLACK_HOLE)
    expect((await home.bash('disco ls', ELEVEN_MINUTES_AGO)).code).toBe(0)
    const addr = onCall.at('orders', 1)
    expect((await home.bash(`disco weight orders ${addr} 7`)).code).toBe(0)
    const { code, stdout } = await home.bash(commandOf('history.md', 'disco history --since 10m'))
    expect(code).toBe(0)
    expect(stdout).toContain(addr)
    expect(stdout).toContain('2 → 7')
    expect(stdout.trimEnd().split('\n')).toHaveLength(2)
  })

  test('9. two registries are compared, and a service is copied from one to the other', async () => {
    await using home = await atHome()
    await using other = await RealEtcd.start()
    await using onCall = await OnCall.start(etcd, BLACK_HOLE)
    const names = { '127.0.0.1:2379': other.endpoint }
    const add = commandOf('migrate.md', 'disco context add new --endpoints 127.0.0.1:2379', names)
    expect((await home.bash(add)).code).toBe(0)
    const differs = await home.bash('disco diff payments --against new')
    expect(differs).toMatchObject({ code: 1, stdout: expect.stringContaining(onCall.drained) })
    const words = 'disco export hello | disco apply -C new -f - --hold --yes'
    const copy = commandOf('migrate.md', words, { 'export hello': 'export payments', '--hold': '--ttl 60' })
    const copied = await home.bash(copy)
    expect(copied, copied.stderr).toMatchObject({ code: 0 })
    expect(await home.bash('disco diff payments --against new')).toMatchObject({ code: 0 })
    const both = await home.bash('disco ls payments -C new -o name | sort')
    expect(both.stdout.trim().split('\n')).toHaveLength(3)
    // The copied endpoints are called through the second registry.
    expect((await home.bash('disco call payments SayHello --n 20 -C new')).code).toBe(0)
  })

  test('10. a pipeline with the least role reads a registry of another layout, and cannot write it', async () => {
    await using home = await atHome()
    await using etcdOfOthers = await RealEtcd.start()
    await using onCall = await OnCall.start(etcd, BLACK_HOLE)
    const addr = onCall.at('hello', 1)
    const instance = { id: 'a', name: 'shop', version: 'v1', metadata: null, endpoints: [`grpc://${addr}`] }
    await etcdOfOthers.ctl('put', '/microservices/shop/a', JSON.stringify(instance))
    await etcdOfOthers.ctl('put', '/secrets/payments', 'nobody reads this')
    await etcdOfOthers.ctl('role', 'add', 'reader')
    await etcdOfOthers.ctl('role', 'grant-permission', 'reader', 'read', '/microservices/', '--prefix=true')
    await etcdOfOthers.ctl('user', 'add', 'ci:secret')
    await etcdOfOthers.ctl('user', 'grant-role', 'ci', 'reader')
    await enableAuth(etcdOfOthers, [])
    const as = `export DISCO_ENDPOINTS=${etcdOfOthers.endpoint} DISCO_USER=ci:secret`
    const list = commandOf('other-registries.md', 'disco ls --layout kratos')
    expect(await home.bash(`${as}; ${list} -o name | sort`)).toMatchObject({ code: 0, stdout: 'shop\n' })
    expect(await home.bash(`${as}; disco health shop --layout kratos -o name`)).toMatchObject({
      code: 0,
      stdout: `${addr}\n`,
    })
    const write = await home.bash(`${as}; disco unregister shop ${addr} --layout kratos`)
    expect(write.code).toBe(3)
    expect(write.stderr).toContain('etcd denies ci the permission')
    expect(await etcdOfOthers.ctl('get', '/microservices/shop/a', '--print-value-only')).toContain(addr)
  })
})
