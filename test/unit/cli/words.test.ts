import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../src/call/messages.js'
import { completeAddressOrKey, requireServiceName } from '../../../src/cli/flags/arguments.js'
import { completeAddress } from '../../../src/registry/complete-address.js'
import { errorOf } from '../../support/errors.js'

describe('a service name', () => {
  it('is any text without a slash', () => {
    for (const name of ['hello', 'a.b.C', 'grün', 'a b']) expect(requireServiceName(name)).toBe(name)
  })

  it.each([
    ['', 'is empty'],
    ['a/b', 'contains "/"'],
    ['/hello', 'contains "/"'],
  ])('%j %s', (name, problem) => {
    expect(errorOf(() => requireServiceName(name))).toMatchObject({
      code: 'USAGE',
      message: `The service name "${name}" ${problem}`,
    })
  })
})

describe('a JSON argument', () => {
  it('is parsed', () => {
    expect(parseJson('{"name":"abc","n":[1,null]}')).toEqual({ name: 'abc', n: [1, null] })
  })

  it('is refused with an example if it is invalid', () => {
    const error = errorOf(() => parseJson('{name:1}'))
    expect(error.code).toBe('USAGE')
    expect(error.message).toMatch(/^The data is not JSON: /)
    expect(error.suggestions).toEqual([`Example: -d '{"name":"abc"}'`])
    expect(error.cause).toBeInstanceOf(SyntaxError)
  })
})

describe('an address argument', () => {
  it.each([
    ['1.2.3.4:1001', '1.2.3.4:1001'],
    ['[::1]:0080', '[::1]:80'],
    ['unix:/tmp/x', 'unix:/tmp/x'],
  ])('%s is written %s', async (text, written) => {
    expect(await completeAddress(text, '')).toBe(written)
    expect(await completeAddressOrKey(text, '')).toBe(written)
  })

  it('without a host gets a host address of this machine', async () => {
    expect(await completeAddress(':1001', '')).toMatch(/^\d+\.\d+\.\d+\.\d+:1001$/)
  })

  it('with a slash is an unchanged key', async () => {
    expect(await completeAddressOrKey('/hello/1.0.0/x', '')).toBe('/hello/1.0.0/x')
    expect(await completeAddressOrKey('foo/bar', '')).toBe('foo/bar')
  })

  it('without a port is refused', async () => {
    await expect(completeAddress('1.2.3.4', 'disco ls')).rejects.toMatchObject({ code: 'USAGE' })
  })
})
