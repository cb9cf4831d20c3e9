import { describe, expect, it } from 'vitest'
import { parseTarget, SCHEME, targetOf } from '../../../src/grpc/target.js'
import { errorOf } from '../../support/errors.js'

describe('a target', () => {
  it('names a service, and a version where it has an authority', () => {
    expect(SCHEME).toBe('etcd')
    expect(parseTarget({ authority: '', path: '/hello' })).toEqual({
      service: 'hello',
      version: null,
      place: {},
    })
    expect(parseTarget({ path: 'hello' })).toEqual({ service: 'hello', version: null, place: {} })
    expect(parseTarget({ authority: '1.0.0', path: '/hello' })).toEqual({
      service: 'hello',
      version: '1.0.0',
      place: {},
    })
  })

  it('says where the registry is, if it is not where all are', () => {
    expect(parseTarget({ path: 'foo/bar?layout=kratos=/ns&root=/prod' })).toEqual({
      service: 'foo/bar',
      version: null,
      place: { layout: 'kratos=/ns', root: '/prod' },
    })
    const error = errorOf(() => parseTarget({ path: 'hello?rot=/prod' }))
    expect(error).toMatchObject({ code: 'USAGE', message: 'A target has no parameter "rot"' })
    expect(error.suggestions).toEqual(['It has: layout, root'])
  })

  it.each(['hello', 'a.b.Greeter', 'grün', 'a b', '100%', 'x?y#z', 'a%2Fb', 'q:1', 'foo/bar/my-service'])(
    'made of the service %j leads back to it',
    (service) => {
      const target = targetOf(service)
      expect(target.startsWith('etcd:///')).toBe(true)
      expect(parseTarget({ authority: '', path: target.slice('etcd://'.length) })).toEqual({
        service,
        version: null,
        place: {},
      })
    },
  )

  it.each(['', '/', '//a', '/a//b', '/a/', '/a%2F', '/100%', '/%zz'])(
    'with the path %j names no service',
    (path) => {
      const error = errorOf(() => parseTarget({ authority: '', path }))
      expect(error).toMatchObject({ code: 'USAGE', message: `The target names no service: "${path}"` })
      expect(error.suggestions).toEqual(['Want etcd:///SERVICE or etcd://VERSION/SERVICE'])
    },
  )
})
