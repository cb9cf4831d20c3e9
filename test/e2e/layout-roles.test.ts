import { expect, test } from 'vitest'
import { Disco } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'

const AT = '127.0.0.1:1001'

test('a user with a role for one service: told to name the layout, and served when it is named', async () => {
  await using etcd = await RealEtcd.start()
  await etcd.ctl('put', ...registration('hello', AT))
  await etcd.ctl('user', 'add', 'root:secret')
  await etcd.ctl('user', 'grant-role', 'root', 'root')
  await etcd.ctl('role', 'add', 'hello')
  await etcd.ctl('role', 'grant-permission', 'hello', 'readwrite', '/hello', '--prefix=true')
  await etcd.ctl('user', 'add', 'someone:secret')
  await etcd.ctl('user', 'grant-role', 'someone', 'hello')
  await etcd.ctl('auth', 'enable')
  const user = { DISCO_USER: 'someone:secret' }
  const disco = new Disco(etcd.endpoint, user)
  for (const command of ['ls', 'watch']) {
    const { code, stderr } = await disco.run(command, 'hello')
    expect(code).toBe(3)
    expect(stderr).toContain('Name one, such as --layout seed, or a part of the keys: --root PREFIX')
  }
  const ofSeed = new Disco(etcd.endpoint, { ...user, DISCO_LAYOUT: 'seed' })
  expect(await ofSeed.run('ls', 'hello', '-o', 'name')).toMatchObject({ code: 0, stdout: `${AT}\n` })
  const other = await ofSeed.run('ls', 'hello2')
  expect(other).toMatchObject({ code: 4 })
  expect(other.stderr).toMatch(/^✗ No service "hello2" under \/ \(rev \d+\)\n$/)
  const layouts = await disco.run('layouts', '-o', 'name')
  expect(layouts).toMatchObject({ code: 0 })
  expect(layouts.stderr).toContain('Which of the layouts are present is not known.')
})
