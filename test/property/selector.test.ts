import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DiscoError } from '../../src/domain/errors.js'
import {
  attributeOf,
  formatSelector,
  parseSelector,
  type Requirement,
  selects,
} from '../../src/domain/selector.js'
import { endpoint } from '../support/endpoints.js'

const word = fc.oneof(fc.constantFrom('zone', 'version', 'id', 'a b', 'in', 'notin', '"', '\\'), fc.string())
const name = word.filter((text) => text !== '')

const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({ op: fc.constantFrom('=' as const, '!=' as const), name, value: word }),
  fc.record({
    op: fc.constantFrom('in' as const, 'notin' as const),
    name,
    values: fc.array(word, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    op: fc.constantFrom('>' as const, '>=' as const, '<' as const, '<=' as const),
    name: fc.constant('weight' as const),
    value: fc.nat(20).map(String),
  }),
)
const selector = fc.array(requirement, { minLength: 1, maxLength: 4 })

const candidate = fc
  .record({
    version: word,
    weight: fc.nat(20),
    id: word,
    metadata: fc.dictionary(word, word, { maxKeys: 4 }),
  })
  .map(endpoint)

test('a written selector is read back unchanged', () => {
  fc.assert(
    fc.property(selector, (one) => {
      expect(parseSelector(formatSelector(one))).toEqual(one)
    }),
  )
})

test('any text is parsed as a selector or causes a usage error, and no other error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z=!<>~^,()" ]*$/)), (text) => {
      try {
        parseSelector(text)
      } catch (error) {
        expect(error).toBeInstanceOf(DiscoError)
        expect(error).toMatchObject({ code: 'USAGE' })
      }
    }),
  )
})

test('a selector selects the intersection of its requirements, and an operator and its negation partition all endpoints', () => {
  fc.assert(
    fc.property(selector, candidate, (one, found) => {
      expect(selects(one, found)).toBe(one.every((requirement) => selects([requirement], found)))
    }),
  )
  fc.assert(
    fc.property(name, fc.array(word, { minLength: 1 }), candidate, (of, values, found) => {
      const isIn = selects([{ op: 'in', name: of, values }], found)
      expect(isIn).toBe(values.includes(attributeOf(found, of)))
      expect(selects([{ op: 'notin', name: of, values }], found)).toBe(!isIn)
      const [value = ''] = values
      expect(selects([{ op: '=', name: of, value }], found)).toBe(
        !selects([{ op: '!=', name: of, value }], found),
      )
    }),
  )
})
