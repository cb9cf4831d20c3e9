import fc from 'fast-check'
import { expect, it } from 'vitest'
import { spliceJson } from '../../src/domain/layouts/json-splice.js'

/** A part of a value: bytes that must stay, or a number that must change. */
type Piece = Buffer | 'number'

const space = fc.constantFrom('', ' ', '\n', '\t  ', '\r\n')
const number = fc.oneof(fc.nat().map(String), fc.constantFrom('-0', '1.5e+3', '0.25', '-12', '1E9'))

/** A JSON string with bytes that are not UTF-8, and with everything that could confuse a scanner. */
const wildString = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\\"',
        '\\\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        'weight',
        '\\"weight\\":1',
        '\\u0041',
        'ü',
        '日',
      ),
      fc.integer({ min: 0x80, max: 0xff }),
    ),
    { maxLength: 6 },
  )
  .map((parts) =>
    Buffer.concat([
      Buffer.from('"'),
      ...parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))),
      Buffer.from('"'),
    ]),
  )

const nested = fc.oneof(
  wildString,
  number.map((digits) => Buffer.from(`{"weight":${digits},"deep":[{"weight":${digits}}]}`)),
  number.map((digits) => Buffer.from(`["weight",${digits},{"weight" : ${digits}}]`)),
  fc.constantFrom('true', 'null', '{}', '[]', '-1').map((json) => Buffer.from(json)),
)

const foreignMember = fc
  .tuple(fc.constantFrom('"name"', '"Weight"', '"weights"', '"weigh"', '""', '"ä"'), nested)
  .map(([name, value]): Piece[] => [Buffer.from(`${name}:`), value])

const weightMember = fc
  .tuple(fc.constantFrom('"weight"', '"w\\u0065ight"'), space, space)
  .map(([name, before, after]): Piece[] => [
    Buffer.from(`${name}${before}:${after}`),
    'number',
    Buffer.from(before),
  ])

const tail = fc.oneof(fc.constant(Buffer.alloc(0)), wildString, fc.uint8Array({ maxLength: 8 }))

function joined(pieces: readonly Piece[], numbers: readonly string[]): Buffer {
  let next = 0
  return Buffer.concat(
    pieces.map((piece) => (piece === 'number' ? Buffer.from(numbers[next++ % numbers.length] ?? '') : piece)),
  )
}

it('spliceJson changes the bytes of all top-level numbers with the name, and no other byte', () => {
  const members = fc
    .tuple(fc.array(foreignMember, { maxLength: 4 }), fc.array(weightMember, { minLength: 1, maxLength: 3 }))
    .chain(([foreign, own]) =>
      fc.shuffledSubarray([...foreign, ...own], { minLength: foreign.length + own.length }),
    )
  fc.assert(
    fc.property(
      members,
      space,
      tail,
      fc.array(number, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      (shuffled, gap, rest, numbers, wanted) => {
        const pieces: Piece[] = [
          Buffer.from(`${gap}{${gap}`),
          ...shuffled.flatMap((member, at) => (at === 0 ? member : [Buffer.from(`,${gap}`), ...member])),
          Buffer.from(`${gap}}`),
          Buffer.from(rest),
        ]
        const before = joined(pieces, numbers)
        const after = Buffer.from(spliceJson(before, ['weight'], String(wanted)))
        expect(after.toString('latin1')).toBe(joined(pieces, [String(wanted)]).toString('latin1'))
      },
    ),
    { numRuns: 3_000 },
  )
})

it('spliceJson adds a missing member, and keeps the other members and their order', () => {
  fc.assert(
    fc.property(
      fc.array(foreignMember, { maxLength: 4 }),
      space,
      tail,
      fc.nat(),
      (foreign, gap, rest, wanted) => {
        const body = joined(
          [
            Buffer.from(`{${gap}`),
            ...foreign.flatMap((member, at) => (at === 0 ? member : [Buffer.from(','), ...member])),
          ],
          [''],
        )
        const before = Buffer.concat([body, Buffer.from('}'), rest])
        const added = `${foreign.length === 0 ? '' : ','}"weight":${wanted}}`
        const after = Buffer.from(spliceJson(before, ['weight'], String(wanted)))
        expect(after.toString('latin1')).toBe(
          Buffer.concat([body, Buffer.from(added), rest]).toString('latin1'),
        )
      },
    ),
    { numRuns: 1_000 },
  )
})

it('spliceJson keeps JSON valid: the same object with another number', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (object, wanted) => {
      const json = JSON.stringify({ ...object, weight: 1 }, null, 1)
      const after = Buffer.from(spliceJson(Buffer.from(json), ['weight'], String(wanted))).toString()
      expect(JSON.parse(after)).toEqual({ ...JSON.parse(json), weight: wanted })
    }),
  )
})
