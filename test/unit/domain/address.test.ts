import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress, readAddress } from '../../../src/domain/address.js'
import { errorOf } from '../../support/errors.js'

describe('readAddress', () => {
  it.each([
    ['1.2.3.4:1001', { kind: 'tcp', host: '1.2.3.4', port: 1001 }],
    ['localhost:8083', { kind: 'tcp', host: 'localhost', port: 8083 }],
    ['my_host-1.example.com:1', { kind: 'tcp', host: 'my_host-1.example.com', port: 1 }],
    ['a:65535', { kind: 'tcp', host: 'a', port: 65535 }],
    [':1001', { kind: 'tcp', host: '', port: 1001 }],
    ['[::1]:80', { kind: 'tcp', host: '::1', port: 80 }],
    ['[2001:DB8::1]:80', { kind: 'tcp', host: '2001:DB8::1', port: 80 }],
    ['[::ffff:1.2.3.4]:80', { kind: 'tcp', host: '::ffff:1.2.3.4', port: 80 }],
    ['[fe80::1%eth0]:80', { kind: 'tcp', host: 'fe80::1%eth0', port: 80 }],
    ['unix:/var/run/a b.sock', { kind: 'unix', path: '/var/run/a b.sock' }],
    ['unix:///tmp/x', { kind: 'unix', path: '///tmp/x' }],
    ['unix:relative', { kind: 'unix', path: 'relative' }],
  ])('reads %s', (text, address) => {
    expect(readAddress(text)).toEqual(address)
  })

  it.each([
    ['', 'has no port'],
    ['1.2.3.4', 'has no port'],
    ['[::1]', 'has no port'],
    ['::1', 'is an IPv6 address without brackets'],
    ['2001:db8::1:80', 'is an IPv6 address without brackets'],
    ['host:', 'has no valid port ("")'],
    ['host:http', 'has no valid port ("http")'],
    ['host:-1', 'has no valid port ("-1")'],
    ['host:80 ', 'has no valid port ("80 ")'],
    ['host:123456', 'has no valid port ("123456")'],
    ['host:0', 'has port 0, outside 1-65535'],
    ['host:65536', 'has port 65536, outside 1-65535'],
    ['-a:80', 'has no valid host ("-a")'],
    ['a b:80', 'has no valid host ("a b")'],
    ['a/b:80', 'has no valid host ("a/b")'],
    ['host\n:80', 'has no valid host ("host\n")'],
    ['[1.2.3.4]:80', 'has no valid IPv6 address in "[1.2.3.4]"'],
    ['[1:2]:80', 'has no valid IPv6 address in "[1:2]"'],
    ['[::1]x:80', 'has no valid IPv6 address in "[::1]x"'],
    ['unix:', 'has no socket path'],
    ['unix:/a\0b', 'has no socket path'],
  ])('refuses %j: it %s', (text, problem) => {
    expect(readAddress(text)).toEqual({ problem })
  })

  it.each(['[::1]@[::2]', '[x@[::1]', '[::1]/[x]', '[::\n1]', '[::1%\u001b[31m]', '[::1%]'])(
    'refuses %j, which a URL parser would take for a host with something around it',
    (host) => {
      expect(readAddress(`${host}:80`)).toEqual({ problem: `has no valid IPv6 address in "${host}"` })
    },
  )
})

describe('parseAddress', () => {
  it('errors contain the mistake, the accepted forms, and an example', () => {
    const error = errorOf(() => parseAddress('1.2.3.4', 'disco register hello 1.2.3.4:1001'))
    expect(error).toMatchObject({ code: 'USAGE', exit: 2, message: '"1.2.3.4" has no port' })
    expect(error.suggestions).toEqual([
      'Expected host:port, [ipv6]:port, :port or unix:/path. Example: disco register hello 1.2.3.4:1001',
    ])
  })
})

describe('formatAddress', () => {
  it.each(['1.2.3.4:1001', ':1001', '[::1]:80', '[fe80::1%eth0]:80', 'unix:/tmp/x', 'unix:///tmp/x'])(
    'writes %s as it was read',
    (text) => {
      expect(formatAddress(parseAddress(text, ''))).toBe(text)
    },
  )

  it('writes a port without leading zeros', () => {
    expect(formatAddress(parseAddress('a:0080', ''))).toBe('a:80')
  })
})
