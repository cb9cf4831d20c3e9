import { afterAll, expect, test } from 'vitest'
import { registration } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()
const resident = new ResidentTool(etcd.endpoint)
afterAll(() => resident[Symbol.asyncDispose]())

const AT = '1.2.3.4:1001'

/** Each way in which a run ends and prints. */
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

test('the resident tool prints and ends as a process of its own does', async () => {
  await etcd.ctl('put', ...registration('hello', AT))
  for (const line of LINES) {
    expect(await resident.run(...line), line.join(' ')).toEqual(await disco.run(...line))
  }
})
