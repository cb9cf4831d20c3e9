import { describe, expect, it } from 'vitest'
import { Descriptors } from '../../../../src/grpc/methods/descriptors.js'
import { SHOP, TYPES } from '../../../support/descriptors.js'
import { errorOf } from '../../../support/errors.js'

const SOURCE = 'reflection v1 at 127.0.0.1:1001'
const descriptors = new Descriptors([SHOP, TYPES], SOURCE)
const shopAlone = new Descriptors([SHOP, TYPES], SOURCE, ['shop.api.Shop'])

describe('a method name', () => {
  it.each(['Buy', 'Shop/Buy', 'Shop.Buy', 'api.Shop/Buy', 'shop.api.Shop/Buy', 'shop.api.Shop.Buy'])(
    'is found by %s',
    (name) => {
      const method = descriptors.method(name)
      expect(method).toMatchObject({ name: 'shop.api.Shop/Buy', path: '/shop.api.Shop/Buy', kind: 'unary' })
    },
  )

  it('shows that the method streams', () => {
    expect(descriptors.method('Shop/List').kind).toBe('server_streaming')
  })

  it('without its service is ambiguous if two services have it, and the error names both', () => {
    const error = errorOf(() => descriptors.method('List'))
    expect(error).toMatchObject({ code: 'USAGE', message: 'Several services have a method "List"' })
    expect(error.suggestions).toEqual(['Name one: shop.api.Shop/List, shop.api.Returns/List'])
  })

  it('without its service is found if only one of the services can be called', () => {
    expect(shopAlone.method('List').name).toBe('shop.api.Shop/List')
  })

  it('unknown to the only service is refused with the methods of the service, and their source', () => {
    const error = errorOf(() => shopAlone.method('Sell'))
    expect(error).toMatchObject({ code: 'NOT_FOUND', exit: 4, message: 'shop.api.Shop has no method "Sell"' })
    expect(error.suggestions).toEqual([`Available: Buy, List. ${SOURCE}`])
  })

  it.each(['Bui', 'Shop/Bui', 'shop.api.Shop.Bui'])('mistyped as %s gets the nearest, too', (name) => {
    const error = errorOf(() => shopAlone.method(name))
    expect(error.message).toBe('shop.api.Shop has no method "Bui"')
    expect(error.suggestions[0]).toBe('Did you mean Buy?')
  })

  it('unknown to all of several services is refused with all their methods', () => {
    const error = errorOf(() => descriptors.method('Sell'))
    expect(error.message).toBe('Unknown method "Sell"')
    expect(error.suggestions).toContain(
      `Available: shop.api.Shop/Buy, shop.api.Shop/List, shop.api.Returns/List. ${SOURCE}`,
    )
  })

  it.each(['op/Buy', 'pi.Shop/Buy', 'other.Shop/Buy', 'Buy/', '', 'shop.api.Shop/buy'])(
    'is not found by %j: a service is matched by whole words, a method by its exact name',
    (name) => {
      expect(errorOf(() => descriptors.method(name)).code).toBe('NOT_FOUND')
    },
  )
})

describe('a JSON message', () => {
  const buy = descriptors.method('Buy')

  it('is encoded and decoded, by JSON names and by the names in the .proto file', () => {
    const json = { firstItem: { unitPrice: '3' }, size: 'LARGE', note: { text: 'ü' } }
    expect(buy.decode(buy.encode(json)).json).toEqual(json)
    expect(buy.encode({ first_item: { unit_price: '3' } })).toEqual(
      buy.encode({ firstItem: { unitPrice: '3' } }),
    )
    expect(buy.encode({ plain: 'ab' })).toEqual(Buffer.from([0x2a, 2, 0x61, 0x62]))
  })

  it('with an unknown field is refused, with the existing fields', () => {
    const error = errorOf(() => buy.encode({ price: 1 }))
    expect(error.code).toBe('USAGE')
    expect(error.message).toMatch(/^The data is not a valid shop\.api\.Order: .*price/)
    expect(error.suggestions).toEqual(['Its fields: firstItem, itemId, size, note, plain'])
  })

  it.each([{ plain: 1 }, { size: 'HUGE' }, { note: 'text' }, [], 'text', null])(
    'with a value of another type is refused: %j',
    (json) => {
      expect(errorOf(() => buy.encode(json)).code).toBe('USAGE')
    },
  )

  it('for a message without fields must be empty', () => {
    const error = errorOf(() => descriptors.method('Returns/List').encode({ a: 1 }))
    expect(error.suggestions).toEqual([`shop.api.Note has no fields: -d '{}'`])
  })
})
