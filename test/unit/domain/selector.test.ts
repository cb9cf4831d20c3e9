import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../../src/domain/endpoint.js'
import { formatSelector, parseSelector, selects } from '../../../src/domain/selector.js'
import { endpoint } from '../../support/endpoints.js'
import { errorOf } from '../../support/errors.js'

const ENDPOINT = endpoint({
  version: '1.2.3',
  weight: 2,
  id: 'a',
  metadata: { zone: 'b', note: 'x, (y)' },
})

const isSelected = (text: string, endpoint: Partial<Endpoint> = {}) =>
  selects(parseSelector(text), { ...ENDPOINT, ...endpoint })

describe('a selector', () => {
  it.each([
    'version=1.2.3',
    'version==1.2.3',
    'addr=127.0.0.1:1001',
    'id=a',
    'zone=b',
    ' zone = b , id = a ',
    'zone!=c',
    'rack!=c',
    'rack=',
    'zone in (a,b)',
    'zone in ( a , b )',
    'zone notin (a,c)',
    'rack notin (a)',
    'note="x, (y)"',
    'weight=2',
    'weight=2.0',
    'weight in (1,02)',
    'metadata.weight!=x',
    'version in (1.0.0, 1.2.3)',
    'note="x, (y)",zone=b',
    'zone!="a rack=b"',
    'weight>0',
    'weight>=2',
    'weight<2.5',
    'weight<=2',
    'version>=1.2',
    'version>1.0,version<2',
    'version~1.2',
    'version^1',
    'in=',
    'toString=',
  ])('%s selects', (text) => {
    expect(isSelected(text)).toBe(true)
  })

  it.each([
    'version=1.2',
    'zone=',
    'zone!=b',
    'zone in (a,c)',
    'zone notin (a,b)',
    'weight>2',
    'weight<2',
    'version~1.3',
    'version^2',
    'version<1.2',
    'version>1',
    'zone=b,id=b',
    'toString!=',
    'weight!=2.0',
    'weight notin (2.0)',
  ])('%s does not select', (text) => {
    expect(isSelected(text)).toBe(false)
  })

  it('compares versions as registries write them, and a text that is not a version satisfies no range', () => {
    expect(isSelected('version^1.2', { version: 'v1.2.3' })).toBe(true)
    expect(isSelected('version^1', { version: '1.4' })).toBe(true)
    for (const version of ['canary', '', 'canary-2', '1.2.3.4'])
      expect(isSelected('version>=0', { version })).toBe(false)
    // As the semver package has it: a prerelease is of a range only where that names one of the same version.
    expect(isSelected('version>=1', { version: '2.0.0-rc.1' })).toBe(false)
    expect(isSelected('version>=2.0.0-rc.0', { version: '2.0.0-rc.1' })).toBe(true)
  })

  it.each([
    '',
    ',',
    'zone',
    'zone=b,',
    '=b',
    'zone>1',
    'weight>x',
    'weight>',
    'weight~1',
    'version>x',
    'version>*',
    'version>=1 || 2',
    'zone in a',
    'zone in (a',
    'zone in (a) x',
    'zone="b',
    'zone=(b)',
    'zone=b)',
    'version!=1.0.0 zone=b',
    'zone=a b',
    'zone!==b',
    'zone!=!b',
    'zone in (a b)',
    'weight!=x',
    'weight=',
    'weight notin (1,x)',
  ])('%j is refused, with the accepted forms', (text) => {
    const error = errorOf(() => parseSelector(text))
    expect(error).toMatchObject({ code: 'USAGE', message: `Invalid selector "${text}"` })
    expect(error.suggestions.join()).toContain('weight>0')
  })

  it('is written with quotes if a word needs them', () => {
    const selector = parseSelector('zone="a b",note in ("x,y",z),version^1.2')
    expect(formatSelector(selector)).toBe('zone="a b",note in ("x,y",z),version^1.2')
  })
})
