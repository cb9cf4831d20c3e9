import { describe, expect, it } from 'vitest'
import { parseSelector } from '../../../../src/domain/selector.js'
import {
  narrowedTarget,
  parseTarget,
  SCHEME,
  splitTarget,
  targetOf,
} from '../../../../src/grpc/resolver/target.js'
import { errorOf } from '../../../support/errors.js'

const plain = (service: string) => ({ service, where: {}, select: [], spillOver: false, place: {} })

describe('a target', () => {
  it('names a service, and a version in its authority', () => {
    expect(SCHEME).toBe('etcd')
    expect(parseTarget({ authority: '', path: '/hello' })).toEqual(plain('hello'))
    expect(parseTarget({ path: 'hello' })).toEqual(plain('hello'))
    expect(parseTarget({ authority: '1.0.0', path: '/hello' })).toEqual({
      ...plain('hello'),
      where: { version: '1.0.0' },
    })
  })

  it('can set layout and root', () => {
    expect(parseTarget({ path: 'foo/bar?layout=kratos=/ns&root=/prod&zone=b' })).toEqual({
      service: 'foo/bar',
      where: { zone: 'b' },
      select: [],
      spillOver: false,
      place: { layout: 'kratos=/ns', root: '/prod' },
    })
  })

  const names = [
    'hello',
    'a.b.Greeter',
    'grün',
    'a b',
    '100%',
    'x?y#z',
    'a%2Fb',
    'q:1',
    'a=b&c',
    'foo/bar/baz',
  ]
  it.each(names)('made from the service %j is parsed back to the service', (service) => {
    const target = targetOf(service)
    expect(target.startsWith('etcd:///')).toBe(true)
    expect(parseTarget({ authority: '', path: target.slice('etcd://'.length) })).toEqual(plain(service))
  })

  it.each(['', '/', '//a', '/a//b', '/a/', '/a%2F', '/100%', '/%zz', '/?version=1'])(
    'with the path %j has no service',
    (path) => {
      const error = errorOf(() => parseTarget({ authority: '', path }))
      expect(error).toMatchObject({ code: 'USAGE', message: `The target has no service: "${path}"` })
      expect(error.suggestions.join()).toContain('etcd:///SERVICE, etcd://VERSION/SERVICE')
    },
  )
})

describe('the selector of a target', () => {
  it.each([
    ['version=1.0.0&zone=b', { version: '1.0.0', zone: 'b' }, false],
    ['zone=b%20c&rack=a%26b', { zone: 'b c', rack: 'a&b' }, false],
    ['zone=b&spill-over', { zone: 'b' }, true],
    ['spill-over=true&zone=b', { zone: 'b' }, true],
    ['zone=b&spill-over=false', { zone: 'b' }, false],
    ['zone=', { zone: '' }, false],
    ['q=a?b', { q: 'a?b' }, false],
    ['', {}, false],
    ['version=1.0.0+build.7', { version: '1.0.0+build.7' }, false],
    ['zone=b%2Bc&rack=a+b', { zone: 'b+c', rack: 'a+b' }, false],
  ])('?%s', (query, where, spillOver) => {
    const target = parseTarget({ authority: '', path: `hello?${query}` })
    expect(target).toEqual({ ...plain('hello'), where, spillOver })
  })

  it('has operators in select=, beside the plain parameters', () => {
    const select = encodeURIComponent('weight>0,zone notin (a,"b c"),version^1.2')
    expect(parseTarget({ path: `hello?rack=1&select=${select}&spill-over` })).toEqual({
      service: 'hello',
      where: { rack: '1' },
      select: [
        { op: '>', name: 'weight', value: '0' },
        { op: 'notin', name: 'zone', values: ['a', 'b c'] },
        { op: '^', name: 'version', value: '1.2' },
      ],
      spillOver: true,
      place: {},
    })
    expect(errorOf(() => parseTarget({ path: 'hello?select=weight' }))).toMatchObject({
      code: 'USAGE',
      message: 'Invalid selector "weight"',
    })
  })

  it.each([
    ['zone=a&zone=b', '', 'has the parameter "zone" twice'],
    ['version=1', '2', 'has the parameter "version" twice'],
    ['=a', '', 'a value without a name'],
    ['spill-over=maybe', '', 'spill-over is "maybe", expected true or false'],
  ])('?%s is refused', (query, authority, message) => {
    const error = errorOf(() => parseTarget({ authority, path: `hello?${query}` }))
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain(message)
    expect(error.suggestions.join()).toContain('spill-over')
  })
})

describe('narrowedTarget', () => {
  it.each([
    ['etcd:///hello', 'etcd:///hello?select=weight%3E2'],
    ['etcd://2.0.0/hello?layout=etcd', 'etcd:///hello?select=version%3D2.0.0%2Cweight%3E2&layout=etcd'],
    ['etcd:///a%2Fb?zone=b&spill-over', 'etcd:///a%2Fb?select=zone%3Db%2Cweight%3E2&spill-over=true'],
  ])('adds conditions to %s', (text, narrowed) => {
    const target = parseTarget(splitTarget(text))
    expect(narrowedTarget(target, parseSelector('weight>2'))).toBe(narrowed)
    const again = parseTarget(splitTarget(narrowed))
    expect(narrowedTarget(again, [])).toBe(narrowed)
  })

  it('leaves a target without conditions as it is', () => {
    const text = 'etcd:///hello?layout=kitex'
    expect(narrowedTarget(parseTarget(splitTarget(text)), [])).toBe(text)
  })
})
