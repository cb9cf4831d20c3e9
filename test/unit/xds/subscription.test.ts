import { create } from '@bufbuild/protobuf'
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, it } from 'vitest'
import { Subscription } from '../../../src/xds/subscription.js'

const MAX_BYTES = 100

function resource(name: string, bytes = 1): Any {
  return create(AnySchema, { typeUrl: name, value: new Uint8Array(bytes) })
}

/** The names of the next response; null for none. */
function taken(
  subscription: Subscription,
  nonce: string,
  known: readonly string[] | null = [],
): string[] | null {
  const resources = subscription.takePending(resource, () => known, MAX_BYTES)
  if (resources) subscription.sent(nonce)
  return resources?.map(({ typeUrl }) => typeUrl) ?? null
}

function request(names: readonly string[], nonce = '', rejection: string | null = null) {
  return { names, nonce, rejection }
}

describe('a subscription with responses of changed resources', () => {
  it('sends the requested resources, then only changes, one response at a time', () => {
    const one = new Subscription('changes')
    expect(one.take(request(['a', 'b']))).toEqual({ answer: 'none', added: ['a', 'b'] })
    expect(taken(one, '1')).toEqual(['a', 'b'])
    one.changed(new Set(['b', 'c']))
    expect(taken(one, '2')).toBeNull()
    expect(one.take(request(['a', 'b'], '1')).answer).toBe('ack')
    expect(taken(one, '2')).toEqual(['b'])
    expect(one.take(request(['a', 'b'], '2', 'bad')).answer).toBe('nack')
    expect(taken(one, '3')).toBeNull()
  })

  it('ignores an answer to an earlier response, and its names', () => {
    const one = new Subscription('changes')
    one.take(request(['a']))
    taken(one, '1')
    one.take(request(['a'], '1'))
    one.changed(new Set(['a']))
    taken(one, '2')
    expect(one.take(request(['z'], '1'))).toEqual({ answer: 'stale', added: [] })
    expect(one.waitsForAnswer).toBe(true)
    expect(one.take(request(['a', 'z'], '2'))).toEqual({ answer: 'ack', added: ['z'] })
    expect(taken(one, '3')).toEqual(['z'])
  })

  it('counts an answer once: the same nonce again only changes the names', () => {
    const one = new Subscription('changes')
    one.take(request(['a']))
    taken(one, '1')
    expect(one.take(request(['a'], '1')).answer).toBe('ack')
    expect(one.take(request(['a', 'b'], '1'))).toEqual({ answer: 'none', added: ['b'] })
    expect(taken(one, '2')).toEqual(['b'])
  })

  it('forgets names that are no longer requested, and sends them again when they are', () => {
    const one = new Subscription('changes')
    one.take(request(['a', 'b']))
    taken(one, '1')
    one.take(request(['a'], '1'))
    one.changed(new Set(['b']))
    expect(taken(one, '2')).toBeNull()
    one.take(request(['a', 'b'], '1'))
    expect(taken(one, '2')).toEqual(['b'])
    one.take(request([], '2'))
    expect(one.size).toBe(0)
  })

  it('ends a response that is large enough, and continues after its answer', () => {
    const one = new Subscription('changes')
    one.take(request(['a', 'b', 'c']))
    const next = () =>
      one.takePending(
        (name) => resource(name, 60),
        () => [],
        MAX_BYTES,
      )
    expect(next()).toHaveLength(2)
    one.sent('1')
    one.take(request(['a', 'b', 'c'], '1'))
    expect(next()).toHaveLength(1)
  })

  it('waits for a resource that is not yet known', () => {
    const one = new Subscription('changes')
    one.take(request(['a']))
    expect(
      one.takePending(
        () => null,
        () => null,
        MAX_BYTES,
      ),
    ).toBeNull()
    expect(taken(one, '1')).toEqual(['a'])
  })
})

describe('a subscription with responses of all resources', () => {
  it('sends all names again if one is added, and nothing if one is removed', () => {
    const one = new Subscription('whole')
    one.take(request(['a']))
    expect(taken(one, '1')).toEqual(['a'])
    one.take(request(['a', 'b'], '1'))
    expect(taken(one, '2')).toEqual(['a', 'b'])
    one.take(request(['b'], '2'))
    expect(taken(one, '3')).toBeNull()
  })

  it.each([
    ['no names in the first request', []],
    ['the wildcard', ['*']],
  ])('receives all known resources, for %s, and again when others become known', (_, names) => {
    const one = new Subscription('whole')
    one.take(request(names))
    expect(taken(one, '1', null)).toBeNull()
    expect(taken(one, '1', ['x', 'y'])).toEqual(['x', 'y'])
    one.take(request(names, '1'))
    one.changedNames()
    expect(taken(one, '2', ['x'])).toEqual(['x'])
  })

  it('sends nothing for an empty list of names after names', () => {
    const one = new Subscription('whole')
    one.take(request(['a']))
    taken(one, '1')
    one.take(request([], '1'))
    one.changedNames()
    expect(taken(one, '2', ['x'])).toBeNull()
  })
})
