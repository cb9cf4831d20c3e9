import { beforeEach, describe, expect, test } from 'vitest'
import { registration } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const AT = '1.2.3.4:1001'

/** Command lines that cover the ways in which a command ends and prints. */
const LINES: readonly (readonly string[])[] = [
  [],
  ['--version'],
  ['ls', '--help'],
  ['regster'],
  ['regster', '--json'],
  ['ls', '--nope'],
  ['register', 'hello'],
  ['ls', 'helo'],
  ['ls', 'helo', '--json'],
  ['ls', 'hello'],
  ['ls', 'hello', '--json'],
  ['ls', '-o', 'name'],
  ['weight', 'hello', '1.2.3.4:1002', '5'],
  ['pick', 'hello', '--n', '10'],
  ['resolve', 'hello', '--json'],
  ['wait', 'hello', '--for', 'endpoints>=2', '--timeout', '0'],
  ['layouts'],
  ['call', 'hello', 'SayHello', '-d', '{bad'],
  ['ls', '--cacert', 'none.pem'],
]

beforeEach(async () => {
  await etcd.ctl('put', ...registration('hello', AT))
})

describe('the resident tool prints and exits like a separate process:', () => {
  test.each(LINES.map((args) => ({ line: ['disco', ...args].join(' '), args })))(
    '$line',
    async ({ args }) => {
      expect(await tool.run(...args)).toEqual(await disco.run(...args))
    },
  )
})
