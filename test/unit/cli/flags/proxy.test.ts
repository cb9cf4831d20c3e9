import { describe, expect, it } from 'vitest'
import { proxyFlags } from '../../../../src/cli/flags/proxy.js'
import { flagError, flagValues } from '../../../support/flags.js'

describe('--replay-bytes', () => {
  it.each([
    ['0', 0],
    ['64KiB', 65_536],
    ['8MiB', 8 * 2 ** 20],
  ])('takes %s', async (text, bytes) => {
    expect((await flagValues(proxyFlags, '--replay-bytes', text))['replay-bytes']).toBe(bytes)
  })

  it.each(['9MiB', '-1', 'many', ''])('refuses "%s", which no connection may keep', async (text) => {
    expect(await flagError(proxyFlags, `--replay-bytes=${text}`)).toMatchObject({
      code: 'USAGE',
      message: `Invalid --replay-bytes "${text}": expected a size from 0B to 8MiB, such as 64KiB`,
    })
  })
})
