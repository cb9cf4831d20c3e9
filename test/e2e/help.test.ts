import { describe, expect, test } from 'vitest'
import { COMMANDS, describeExamples, QUICK_EXAMPLES } from '../support/help-examples.js'
import { expectShape } from '../support/shape.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { tool } = await toolOnEtcd()

describeExamples(QUICK_EXAMPLES)

test.each([['help'], ...COMMANDS.map((command) => ['help', command, '--command'])])(
  'no line of disco %s %s is longer than 80 columns',
  async (...args) => {
    const { stdout } = await tool.run(...args)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  },
)

test('the top-level help has examples, exit codes and environment variables', async () => {
  const { stdout } = await tool.run('--help')
  expect(stdout).toMatch(/\nEXAMPLES\n {2}\$ disco \S.*\n {2}\$ disco \S/)
  expect(stdout).toMatch(/\nEXIT CODES\n {2}0 +success\n[\s\S]*\n {2}3 .*\n[\s\S]*\n {2}130 /)
  expect(stdout).toMatch(/\nENVIRONMENT\n {2}DISCO_ENDPOINTS[\s\S]*\n {2}All: disco help environment\n/)
})

describe('help ends with exit codes and environment variables', () => {
  test.each(COMMANDS)('%s', async (command) => {
    const { stdout } = await tool.run('help', command, '--command')
    const [, exits = '', environment = ''] =
      /\nEXIT CODES\n([\s\S]*)\n\nENVIRONMENT\n([\s\S]*)$/.exec(stdout) ?? []
    expect(exits).toMatch(/^ {2}0 .*\n {2}1 .*\n(?: {5,}.*\n)*? {2}2 /)
    expect(environment).toContain('NO_COLOR')
    expect(environment.trimEnd()).toMatch(/All: disco help environment$/)
  })
})

test('JSON documents of help and version have the fields of their golden files', async () => {
  const help = [await tool.run('help', '--json'), await tool.run('help', 'ls', '--json')]
  expectShape('help', ...help.map(({ stdout }) => JSON.parse(stdout)))
  expectShape('version', JSON.parse((await tool.run('version', '--json')).stdout))
})
