import { expect, test } from 'vitest'
import { Disco } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { registration } from '../support/etcd-state.js'

const AT = '127.0.0.1:1001'

test('ls with roles for two prefixes lists the keys under both, and prints a hint about the other keys', async () => {
  await using etcd = await RealEtcd.start()
  await etcd.ctl('put', ...registration('hello', AT))
  await etcd.ctl('put', ...registration('hello2', AT))
  const instance = { id: '1', name: 'deep', version: '', metadata: null, endpoints: [`grpc://${AT}`] }
  await etcd.ctl('put', '/microservices/deep/1', JSON.stringify(instance))
  await etcd.ctl('user', 'add', 'root:secret')
  await etcd.ctl('user', 'grant-role', 'root', 'root')
  await etcd.ctl('role', 'add', 'some')
  for (const prefix of ['/hello/', '/microservices/']) {
    await etcd.ctl('role', 'grant-permission', 'some', 'readwrite', prefix, '--prefix=true')
  }
  await etcd.ctl('user', 'add', 'someone:secret')
  await etcd.ctl('user', 'grant-role', 'someone', 'some')
  await etcd.ctl('auth', 'enable')
  const disco = new Disco(etcd.endpoint, { DISCO_USER: 'someone:secret' })

  const seen = { code: 0, stdout: `${AT}\n`, stderr: '' }
  expect(await disco.run('ls', 'hello', '-o', 'name')).toEqual(seen)
  expect(await disco.run('ls', 'deep', '-o', 'name', '--layout', 'kratos')).toEqual(seen)
  const watch = disco.start('watch', 'hello')
  await watch.printed('"type":"synced"')
  expect(await disco.run('weight', 'hello', AT, '5')).toMatchObject({ code: 0 })
  await watch.printed('"type":"weight"')
  expect((await watch.end('SIGINT')).stderr).toBe('')

  for (const service of ['hello2', 'deep']) {
    const { code, stderr } = await disco.run('ls', service)
    expect(code).toBe(3)
    expect(stderr).toContain(`permission on /${service}/`)
    expect(stderr).toContain('Or name the layout that it covers, such as --layout kratos')
  }
  const missing = await disco.run('ls', 'depp', '--layout', 'kratos')
  expect(missing).toMatchObject({ code: 4 })
  expect(missing.stderr).toContain('Did you mean deep?')
  const layouts = await disco.run('layouts', '-o', 'name')
  expect(layouts).toMatchObject({ code: 0 })
  expect(layouts.stderr).toContain('It is not known which layouts are present.')
})
