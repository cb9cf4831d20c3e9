import { describe, expect, it } from 'vitest'
import { endpointId } from '../../../src/domain/endpoint.js'
import { parseOrigins, readRegistryNames } from '../../../src/domain/origins.js'
import { effectiveWeights, shareWithin } from '../../../src/domain/shares.js'
import { endpoint } from '../../support/endpoints.js'
import { errorOf } from '../../support/errors.js'

const texts = (text: string) =>
  parseOrigins(text).map(({ registry, priority, weight }) => `${registry} ${priority} ${weight}`)

describe('the registries of a target', () => {
  it('have priorities by their order, or one priority and weights', () => {
    expect(texts('dc1,dc2,dc3')).toEqual(['dc1 0 1', 'dc2 1 1', 'dc3 2 1'])
    expect(texts('dc1=80,dc2=20')).toEqual(['dc1 0 80', 'dc2 0 20'])
    expect(texts('eu-1.prod')).toEqual(['eu-1.prod 0 1'])
  })

  it('are one or several', () => {
    expect(readRegistryNames('dc1', '-C')).toEqual({ text: 'dc1', origins: null })
    expect(readRegistryNames('dc1,dc2', '-C').origins).toHaveLength(2)
    expect(() => readRegistryNames('dc1,dc1', '-C')).toThrow('Invalid -C "dc1,dc1": dc1 is named twice')
  })

  it.each([
    ['', 'is not the name of a registry'],
    ['dc1,', '"" is not the name of a registry'],
    ['dc1,d c', '"d c" is not the name of a registry'],
    ['dc1=80,dc2', 'either all have a weight, or none has'],
    ['dc1=80,dc2=0', 'the weight of dc2 is 0'],
    ['dc1=-1,dc2=1', '"dc1=-1" is not the name of a registry'],
    ['dc1=1.5,dc2=1', '"dc1=1.5" is not the name of a registry'],
    ['dc1,dc2,dc1', 'dc1 is named twice'],
  ])('are refused as %j', (text, why) => {
    const error = errorOf(() => parseOrigins(text))
    expect([error.code, error.message]).toEqual(['USAGE', expect.stringContaining(why)])
  })
})

const [LOCAL, REMOTE] = parseOrigins('dc1,dc2')
const [MANY, FEW] = parseOrigins('dc1=80,dc2=20')

describe('endpoints of several registries', () => {
  it('are distinct if two registries have the same key and address', () => {
    const ids = [undefined, LOCAL, REMOTE].map((origin) =>
      endpointId({ ...endpoint(), ...(origin && { origin }) }),
    )
    expect(new Set(ids).size).toBe(3)
  })

  it('have unset weights if all weights of their registry are 0', () => {
    const service = [
      endpoint({ addr: 'a:1', weight: 0, origin: LOCAL as never }),
      endpoint({ addr: 'b:1', weight: 0, origin: REMOTE as never }),
      endpoint({ addr: 'c:1', weight: 5, origin: REMOTE as never }),
    ]
    expect(service.map(effectiveWeights(service))).toEqual([1, 0, 5])
  })

  it('receive all calls in the best priority that has a usable endpoint', () => {
    const [a, b] = [
      endpoint({ addr: 'a:1', origin: LOCAL as never }),
      endpoint({ addr: 'b:1', origin: REMOTE as never }),
    ]
    expect([a, b].map(shareWithin([a, b]))).toEqual([1, 0])
    const broken = { ...a, problem: { kind: 'unreadable', text: 'x' } } as const
    expect([broken, b].map(shareWithin([broken, b]))).toEqual([0, 1])
  })

  it('share calls in the ratio of their registries, by their weights within each', () => {
    const service = [
      endpoint({ addr: 'a:1', weight: 3, origin: MANY as never }),
      endpoint({ addr: 'b:1', weight: 1, origin: MANY as never }),
      endpoint({ addr: 'c:1', weight: 100, origin: FEW as never }),
    ]
    expect(service.map(shareWithin(service)).map((share) => share.toFixed(3))).toEqual([
      '0.600',
      '0.200',
      '0.200',
    ])
  })
})
