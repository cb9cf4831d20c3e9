import { describe, expect, test } from 'vitest'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { disco, tool } = await toolOnEtcd()

const REGISTER = ['register', 'hello', '1.2.3.4:1001']
const CALL = ['call', 'hello', 'SayHello']

describe('an error states what is expected without repeating the given value', () => {
  test.each<[command: string[], flag: string, value: string, expected: string]>([
    [CALL, '--max-message-size', '2GiB', 'a size from 1B to 2047MiB'],
    [[...CALL, '--n', '5'], '--rate', '0', 'calls per second or minute, above 0'],
    [[...CALL, '--n', '5'], '--warmup', '600h', 'a number of calls, or a time up to 596h'],
    [CALL, '--authority', '\u00fc', 'a host in ASCII without spaces'],
    [CALL, '--deadline', '0s', 'a duration above 0'],
    [CALL, '--policy', 'wrr,', 'names with commas and no spaces between them, such as wrr,random'],
    [['dev'], '--backends', '1,-1', 'integers from 0 to 2147483647'],
    [['dev'], '--latency', '9999h', 'durations from 0 to 596h'],
    [REGISTER, '--meta', '=x', 'KEY=VALUE with a KEY'],
    [REGISTER, '--advertise', 'a:70000', 'a host name or an IP address, with or without a port up to 65535'],
    [REGISTER, '--admin', ':70000', 'a TCP address to listen at with a port up to 65535'],
    [REGISTER, '--probe', 'http://a:70000/', 'grpc, grpc:SERVICE, tcp, http://HOST:PORT/PATH'],
    [['verdict', '--weights', 'a=1'], '--counts', 'a=-3', 'names with counts of up to 15 digits'],
    [['verdict', '--counts', 'a=3'], '--weights', 'a=1.5', 'names with integers from 0 to 2147483647'],
  ])('%j %s %s', async (command, flag, value, expected) => {
    const { code, stderr } = await tool.run(...command, `${flag}=${value}`)
    expect(code).toBe(2)
    expect(stderr).toContain(`✗ Invalid ${flag} "${value}": expected ${expected}`)
  })

  test('a typographic minus is shown as the ASCII minus that it is read as', async () => {
    const { stderr } = await tool.run(...REGISTER, '--weight', '\u22125')
    expect(stderr).toContain('✗ Invalid --weight "-5": expected an integer from 0')
  })
})

describe('an error names the problem, and a remedy that fits', () => {
  test.each<[args: string[], message: string, hint: string]>([
    [
      [...CALL, '--protoset', '-', '--protoset', '-'],
      '--protoset - is given twice: standard input can be read once',
      'Put one of them into a file',
    ],
    [['pick', 'hello', '--policy', 'ring_hash', '--without', ''], '--without is empty', ''],
    [
      [...CALL, '--service-config', '/dev/null'],
      '/dev/null from --service-config is not JSON',
      'Example: {"methodConfig": ',
    ],
    [
      ['ls', '--user', 'me', '--password-file', '/dev/null'],
      'The password file /dev/null from --password-file is empty',
      '',
    ],
    [[...CALL, '--proto', 'none.proto'], 'Cannot read none.proto', 'Searched the current folder; '],
  ])('%j', async (args, message, hint) => {
    const { code, stderr } = await tool.run(...args)
    expect(code).toBe(2)
    expect(stderr).toContain(`✗ ${message}`)
    expect(stderr).toContain(hint)
  })

  test('reports a password pipe without content', async () => {
    const ran = disco.shell('true | disco ls --user me --password-file -')
    expect((await ran.exited()).code).toBe(2)
    expect(ran.stderr).toContain('✗ --password-file - read no password: standard input is empty')
  })
})

test('a name in an error is escaped if it looks like plain ASCII, and can be compared with the suggestion', async () => {
  const cyrillic = await tool.run('verdict', '--counts', '\u0430=3', '--weights', 'a=1,b=1')
  expect(cyrillic.stderr).toContain('✗ No weight is given for "\\u0430"\n  Did you mean a?')
  const lists = [
    ['ls', 'p\u0430\u0443'],
    ['drain', 'p\u0430\u0443', '1.2.3.4:1'],
    ['weight', 'p\u0430\u0443', '1.2.3.4:1', '5'],
  ]
  for (const args of lists) {
    const { stderr } = await tool.run(...args)
    expect(stderr).toContain('p\\u0430\\u0443')
    expect(stderr).not.toContain('p\u0430')
  }
})
