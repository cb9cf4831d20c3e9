import { expect, it } from 'vitest'
import { commandText } from '../../../../src/cli/call-report/command-text.js'
import Call from '../../../../src/commands/call.js'

const text = (...argv: string[]) => commandText('call', argv, { ...Call.baseFlags, ...Call.flags })

it('shows a command as it was typed, quoted for a shell', () => {
  expect(
    text('hello', 'SayHello', '--n', '100', '-l', 'version=2.0.0,weight>0', '--no-color', '--policy=rr,wrr'),
  ).toBe("disco call hello SayHello --n 100 -l 'version=2.0.0,weight>0' --no-color --policy rr,wrr")
})

it('does not show a value that may be a secret', () => {
  const shown = text(
    'etcd:///hello',
    'Login',
    '-H',
    'authorization: Bearer s3cret',
    '-H',
    'x-token=s3cret',
    '-H',
    's3cret',
    '--header=cookie=s3cret',
    '-d',
    '{"password":"s3cret"}',
    '--hash-key',
    's3cret',
    '-Hauthorization=s3cret',
    '--endpoints',
    'http://root:s3cret@a:2379,b:2379',
    '-ds3cret',
  )
  expect(shown).not.toContain('s3cret')
  expect(shown).toContain("-H 'authorization: …' -H 'x-token: …' -H '…'")
  expect(shown).toContain('http://…@a:2379,b:2379')
})

it('shows file names and standard input, from which secret values come', () => {
  expect(text('hello', 'Login', '-d', '@login.json', '-H', '@headers.txt', '--password-file', 'pw')).toBe(
    'disco call hello Login -d @login.json -H @headers.txt --password-file pw',
  )
  expect(text('hello', 'Login', '-d', '-')).toBe('disco call hello Login -d -')
})

it('hides the values of unknown flags', () => {
  expect(commandText('call', ['--new', 's3cret'], { new: { type: 'option' } })).toBe("disco call --new '…'")
})
