import { expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import { registration } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const ADDR = '127.0.0.1:1001'
/** "hello" with a Cyrillic letter in place of the e. */
const LIKE_HELLO = 'h\u0435llo'
const SHOWN = 'h\\u0435llo'

test('watch escapes a look-alike service, version and address in a pipe and as text', async () => {
  const watch = disco.start('watch', '-o', 'table')
  await watch.printed('synced')
  await etcd.ctl('put', ...registration(LIKE_HELLO, ADDR, { version: '1.0.\u0430' }))
  await etcd.ctl('put', ...registration(LIKE_HELLO, `${LIKE_HELLO}:80`))
  await etcd.ctl('put', ...registration('hello', ADDR))
  await watch.printed(`hello ${ADDR}`)
  const { stdout } = await watch.end('SIGINT')
  expect(stdout).toContain(`+ added  ${SHOWN} ${ADDR}  v1.0.\\u0430 weight`)
  expect(stdout).toContain(`+ added  ${SHOWN} ${SHOWN}:80  address has no valid host ("${SHOWN}")`)
  expect(stdout).not.toContain(LIKE_HELLO)
})

test('register escapes a look-alike service in its lines', async () => {
  const held = disco.start('register', LIKE_HELLO, ADDR, '-o', 'table')
  await held.printed(`registered ${SHOWN} ${ADDR}`)
  await etcd.ctl('del', `/${LIKE_HELLO}/${ADDR}`)
  const { stdout, stderr } = await held.exited()
  expect(stdout).toContain(`/${SHOWN}/${ADDR} was deregistered from outside`)
  expect(stdout + stderr).not.toContain(LIKE_HELLO)
})

test('ls escapes one of two addresses that look the same', async () => {
  await etcd.ctl('put', ...registration('hello', 'example.com:80'))
  await etcd.ctl('put', ...registration('hello', '\u0435xample.com:80'))
  const { stdout } = await tool.run('ls', 'hello')
  expect(stdout).toContain(' example.com:80 ')
  expect(stdout).toContain(' \\u0435xample.com:80 ')
})

test.each([
  ['pick', ['pick', 'hello', '--n', '10']],
  ['resolve', ['resolve', 'etcd:///hello']],
  ['health', ['health', 'hello']],
])('%s escapes one of two versions that look the same', async (_, args) => {
  await etcd.ctl('put', ...registration('hello', '127.0.0.1:1', { version: 'beta' }))
  await etcd.ctl('put', ...registration('hello', '127.0.0.1:2', { version: 'bet\u0430' }))
  const { stdout } = await tool.run(...args)
  expect(stdout).toMatch(/127\.0\.0\.1:1 +beta /)
  expect(stdout).toMatch(/127\.0\.0\.1:2 +bet\\u0430 /)
})

test('call escapes a look-alike version in its tables and in the lines around them', async () => {
  const greeter = await startGreeter({ port: 0 })
  await etcd.ctl('put', ...registration('hello', greeter.addr, { version: 'beta' }))
  await etcd.ctl('put', ...registration('hello', '127.0.0.1:2', { version: 'bet\u0430' }))
  const args = ['SayHello', '--n', '4', '--connect-deadline', '1s', '--policy', 'round_robin,random']
  const { stdout } = await tool.run('call', 'hello', ...args)
  greeter.stop()
  expect(stdout).toMatch(/^beta +1 +1 /m)
  expect(stdout).toMatch(/^bet\\u0430 +1 +1 /m)
  expect(stdout).not.toContain('bet\u0430')
})

test.each([
  [
    'a policy',
    ['call', 'hello', 'SayHello', '--policy', 'r\u0430ndom'],
    '"r\\u0430ndom"',
    'Did you mean random?',
  ],
  ['a layout', ['ls', '--layout', 'kr\u0430tos'], '"kr\\u0430tos"', 'Did you mean kratos?'],
  ['a command', ['w\u0430tch'], '"w\\u0430tch"', 'Did you mean watch?'],
  ['a flag', ['ls', '--r\u043eot', '/x'], '--r\\u043eot', 'Did you mean --root?'],
  ['a choice', ['ls', '-o', 'js\u043en'], '"js\\u043en"', 'Did you mean json?'],
])(
  'an error shows that the suggestion differs from the input that looks the same: %s',
  async (_, args, ...messages) => {
    const { code, stderr } = await tool.run(...args)
    expect(code).toBe(2)
    for (const text of messages) expect(stderr).toContain(text)
  },
)
