import { describe, expect, it } from 'vitest'
import { assess, type Measures, parseAssertions } from '../../../src/stats/assertion.js'
import { errorOf } from '../../support/errors.js'

const MEASURES: Measures = {
  p50: 1,
  p95: 20,
  p99: null,
  max: 1_500,
  errors: 0.01,
  skew: 0,
  rate: 250,
}

const holds = (text: string) =>
  assess(parseAssertions(text, '--assert'), MEASURES).map((asserted) => asserted.holds)

describe('an assertion', () => {
  it.each([
    ['p50<2ms', true],
    ['p50<1ms', false],
    ['p50<=1ms', true],
    ['p50<1001us', true],
    ['max<2s', true],
    ['max<1s', false],
    ['errors<1%', false],
    ['errors<=1%', true],
    ['errors<0.02', true],
    ['skew<5%', true],
    ['rate>200', true],
    ['rate>=250', true],
    ['rate > 250', false],
  ])('%s: %s', (text, wanted) => {
    expect(holds(text)).toEqual([wanted])
  })

  it('on a missing measure does not hold, with any operator', () => {
    expect(holds('p99<1s,p99>=0ms')).toEqual([false, false])
  })

  it('is returned as it was written, with the measured value', () => {
    expect(assess(parseAssertions('p95<50ms, errors<2%', '--assert'), MEASURES)).toEqual([
      { assertion: 'p95<50ms', actual: 20, holds: true },
      { assertion: 'errors<2%', actual: 0.01, holds: true },
    ])
  })

  it.each([
    '',
    'p99',
    'p99<',
    'p99<50',
    'p99<5%',
    'errors<5ms',
    'p90<1ms',
    'rate>1/s',
    'p99=1ms',
    'p99<1ms,',
  ])('that cannot be read is refused with the available measures: %j', (text) => {
    const error = errorOf(() => parseAssertions(text, '--assert'))
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain('from --assert')
    expect(error.suggestions.join()).toContain('p50, p95, p99, max, errors, skew, rate')
  })
})
