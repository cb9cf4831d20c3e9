import { describe, expect, it } from 'vitest'
import { readScope, registeredTarget } from '../../../../src/cli/flags/target.js'
import { DiscoError } from '../../../../src/domain/errors.js'

const TARGET = 'etcd:///hello?from=a'
const refusal = { code: 'USAGE', message: `from has no effect here: "${TARGET}"` }
const place = (layout: string) => ({ layout, root: '' })

describe('from= of a target', () => {
  it.each(['doctor', 'drain', 'health', 'ls', 'shift', 'unregister', 'wait', 'watch', 'weight', 'xds'])(
    'is refused by %s: its registry is that of the context',
    async (command) => {
      await expect(readScope({ command, target: TARGET, flags: {}, place })).rejects.toMatchObject(refusal)
    },
  )

  it('is refused for a registration', () => {
    const register = () => registeredTarget(TARGET, undefined)
    expect(register).toThrow(DiscoError)
    expect(register).toThrow(refusal.message)
  })
})
