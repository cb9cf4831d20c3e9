import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isUnreadable } from '../../src/domain/layouts/index.js'
import { seed } from '../../src/domain/layouts/seed.js'
import { registered } from '../support/arbitraries.js'

it('what is written is read as it was, and written again to the same bytes', () => {
  fc.assert(
    fc.property(registered, (original) => {
      const { key, value } = seed.encode(original)
      const decoded = seed.decode(key, value)
      if (isUnreadable(decoded)) throw new Error(decoded.problem)
      expect(decoded).toEqual([original])
      const again = seed.encode(decoded[0])
      expect(again.key).toBe(key)
      expect(Buffer.compare(again.value, value)).toBe(0)
    }),
    { numRuns: 2_000 },
  )
})

it("a listing of the service's own prefix finds the key; a shorter name's does not", () => {
  fc.assert(
    fc.property(registered, (original) => {
      const { key } = seed.encode(original)
      expect(key.startsWith(seed.prefix(original.service))).toBe(true)
      const shorter = original.service.slice(0, -1)
      if (shorter !== '') expect(key.startsWith(seed.prefix(shorter))).toBe(false)
    }),
  )
})

type Mutation = (bytes: Buffer) => Buffer
const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(position, fc.nat({ max: 255 })).map(([at, byte]) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes)
    if (changed.length > 0) changed[Math.floor(at * changed.length)] = byte
    return changed
  }),
  position.map((at) => (bytes: Buffer) => bytes.subarray(0, Math.floor(at * bytes.length))),
  fc.tuple(position, fc.uint8Array({ maxLength: 5 })).map(([at, inserted]) => (bytes: Buffer) => {
    const cut = Math.floor(at * bytes.length)
    return Buffer.concat([bytes.subarray(0, cut), inserted, bytes.subarray(cut)])
  }),
  fc
    .constantFrom(
      ...(['null', '-1', '1e400', '[]', '{}', '"1"', 'true', '0.5', '9007199254740993', '{"a":1}'] as const),
    )
    .map((json) => (bytes: Buffer) => Buffer.from(bytes.toString().replace(/:(\d+|"[^"]*")/, `:${json}`))),
)

it('20,000 damaged values: each is endpoints of its key, or a problem with a name', () => {
  let read = 0
  let refused = 0
  fc.assert(
    fc.property(
      registered,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      fc.oneof({ weight: 4, arbitrary: fc.constant('') }, fc.string({ maxLength: 4 })),
      (original, mutations, keySuffix) => {
        const { key, value } = seed.encode(original)
        const damaged = mutations.reduce<Buffer>((bytes, mutate) => mutate(bytes), Buffer.from(value))
        const decoded = seed.decode(key + keySuffix, damaged)
        if (isUnreadable(decoded)) {
          refused++
          const { problem, service, version, addr } = decoded
          const types = [problem, service, version, addr].map((field) => typeof field)
          expect([...new Set(types), problem !== '']).toEqual(['string', true])
          return
        }
        read++
        expect(decoded.length).toBeGreaterThan(0)
        for (const { service, version, addr, weight } of decoded) {
          expect(Number.isSafeInteger(weight) && weight >= 0).toBe(true)
          expect(version === '' ? `/${service}/${addr}` : `/${service}/${version}/${addr}`).toBe(
            key + keySuffix,
          )
        }
      },
    ),
    { numRuns: 20_000 },
  )
  expect(read).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(10_000)
})

it('any bytes under any key: decode never throws', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)),
      (key, value) => {
        const decoded = seed.decode(key, value)
        expect(isUnreadable(decoded) ? decoded.problem : decoded).not.toHaveLength(0)
      },
    ),
    { numRuns: 2_000 },
  )
})

it('a new weight is read back, and nothing else changes', () => {
  fc.assert(
    fc.property(registered, fc.nat({ max: 2 ** 31 - 1 }), (original, weight) => {
      const { key, value } = seed.encode(original)
      expect(seed.decode(key, seed.withWeight(value, weight))).toEqual([{ ...original, weight }])
    }),
  )
})
