import { experimental } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { OLDEST_GRPC_JS, requireFeatures, twoCopies } from '../../../src/grpc/grpc-js.js'

describe('the features of grpc-js in use', () => {
  test('exist in the installed version', () => {
    requireFeatures({ ...experimental }, null)
  })

  test('are checked: an older version is refused with the missing feature, its version and the required one', () => {
    const { statusOrFromValue, statusOrFromError, ...older } = experimental
    expect([typeof statusOrFromValue, typeof statusOrFromError]).toEqual(['function', 'function'])
    const refused = () => requireFeatures(older, '1.13.4')
    expect(refused).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: `disco-registry needs @grpc/grpc-js ${OLDEST_GRPC_JS} or later; @grpc/grpc-js 1.13.4 lacks experimental.statusOrFromValue, statusOrFromError`,
        suggestions: [`npm install @grpc/grpc-js@^${OLDEST_GRPC_JS}`],
      }),
    )
    expect(() => requireFeatures(older, null)).toThrow('the version that this program loads lacks')
  })
})

describe('two copies of grpc-js', () => {
  const ours = { folder: '/app/node_modules/disco-registry/node_modules/@grpc/grpc-js', isOurs: true }
  const other = { folder: '/app/node_modules/@grpc/grpc-js', isOurs: false }

  test('are reported if the program resolves and has loaded a copy other than ours', () => {
    const warning = twoCopies([ours, other], other.folder)
    expect(warning).toContain(ours.folder)
    expect(warning).toContain(other.folder)
  })

  test('are accepted if the second copy belongs only to a dependency, is not loaded, or is part of a bundle', () => {
    expect(twoCopies([ours, other], ours.folder)).toBeNull()
    expect(twoCopies([ours, other], null)).toBeNull()
    expect(twoCopies([ours], other.folder)).toBeNull()
    expect(twoCopies([other], other.folder)).toBeNull()
  })
})
