import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EndpointRecord } from '../../src/domain/endpoint.js'
import { detect } from '../../src/domain/layouts/detect.js'
import {
  type DecodedKey,
  type EndpointRecords,
  LAYOUTS,
  type Layout,
  layoutNamed,
} from '../../src/domain/layouts/index.js'
import { readerOf } from '../../src/domain/layouts/reader.js'
import { rooted, rootPrefix } from '../../src/domain/layouts/root.js'
import { damaged, seededRandom } from '../support/damage.js'
import { rounds } from '../support/effort.js'
import { WRITABLE } from '../support/layout-arbitraries.js'
import { ALL_EXAMPLES } from '../support/vectors.js'

const writable = Object.entries(WRITABLE).map(([name, arbitrary]) => ({ name, arbitrary }))

function written(layout: Layout, registrations: EndpointRecords): { key: string; value: Buffer } {
  const { key, value } = layout.encode(registrations, null)
  return { key, value: Buffer.from(value) }
}

function endpoints(decoded: DecodedKey): EndpointRecords {
  if (decoded.kind === 'unusable') throw new Error(decoded.problem.text)
  if (decoded.kind === 'not-an-endpoint') throw new Error(decoded.purpose)
  return decoded.records
}

/** The fields that every layout stores. */
function common(registrations: readonly EndpointRecord[]): object[] {
  return registrations.map(({ service, version, addr, weight, id, metadata }) => {
    const { weight: _weight, ...rest } = metadata
    return { service, version, addr, weight, id, metadata: rest }
  })
}

it('every writable layout has a generator', () => {
  const names = LAYOUTS.filter(({ readOnly }) => readOnly === null).map(({ name }) => name)
  expect(Object.keys(WRITABLE).sort()).toEqual(names.sort())
})

describe.each(writable)('$name', ({ name, arbitrary }) => {
  const layout = layoutNamed(name)

  it('a written record is read back unchanged, and written again as the same bytes', () => {
    fc.assert(
      fc.property(arbitrary, (original) => {
        const { key, value } = written(layout, original)
        const read = endpoints(layout.decode(key, value))
        expect(common(read)).toEqual(common(original))
        const again = written(layout, read)
        expect(again.key).toBe(key)
        expect(again.value.toString()).toBe(value.toString())
      }),
      { numRuns: 500 },
    )
  })

  it('the prefix of a service matches its keys, also under a root, and does not match if the name is shorter', () => {
    fc.assert(
      fc.property(arbitrary, fc.constantFrom('', '/prod', 'a/b/', '/'), (original, root) => {
        const here = rooted(layout, rootPrefix(root))
        const { key, value } = written(here, original)
        const [{ service }] = original
        expect(key.startsWith(here.prefix(service))).toBe(true)
        expect(key.startsWith(here.prefix())).toBe(true)
        expect(common(endpoints(here.decode(key, value)))).toEqual(common(original))
        const shorter = service.slice(0, -1)
        if (shorter !== '') expect(key.startsWith(here.prefix(shorter))).toBe(service.at(-1) === '/')
      }),
      { numRuns: 300 },
    )
  })

  it('the layout auto recognizes a key, also under a root, and reads it like this layout', () => {
    fc.assert(
      fc.property(arbitrary, fc.constantFrom('', '/prod', 'a/b/'), (original, root) => {
        const { key, value } = written(rooted(layout, rootPrefix(root)), original)
        const auto = readerOf({ layout: 'auto', root })
        expect(auto.keyFilter()?.(key)).toBe(true)
        expect(auto.keyFilter(original[0].service)?.(key)).toBe(true)
        const found = auto.read(key, value)
        expect(found?.layout.name).toBe(name)
        expect(common(endpoints(found?.decoded ?? { kind: 'not-an-endpoint', purpose: 'none' }))).toEqual(
          common(original),
        )
      }),
      { numRuns: 300 },
    )
  })
})

const weighted = writable.filter(({ name }) => layoutNamed(name).weightless === null)

it.each(weighted)('$name: a new weight is read back, and nothing else changes', ({ name, arbitrary }) => {
  const layout = layoutNamed(name)
  fc.assert(
    fc.property(arbitrary, fc.nat({ max: 2 ** 31 - 1 }), (original, weight) => {
      const { key, value } = written(layout, original)
      const changed = endpoints(layout.decode(key, layout.withWeight(value, weight)))
      expect(common(changed)).toEqual(common(original).map((one) => ({ ...one, weight })))
    }),
    { numRuns: 300 },
  )
})

/** Number of damaged values per layout, made from its examples and from generated values. */
const DAMAGED_VALUES = rounds({ quick: 3_000, long: 100_000 })

describe.each(LAYOUTS.map((layout, index) => ({ name: layout.name, layout, seed: index + 1 })))(
  'damaged values of $name',
  ({ name, layout, seed }) => {
    const { stackTraceLimit } = Error
    // JSON.parse rejects most values. Recording a stack trace each time would take half of the duration.
    beforeAll(() => {
      Error.stackTraceLimit = 0
    })
    afterAll(() => {
      Error.stackTraceLimit = stackTraceLimit
    })

    it('are read as endpoints, as a named purpose that is not an endpoint, or as a named problem', () => {
      const random = seededRandom(seed)
      const generated = WRITABLE[name]
      const sources = [
        ...ALL_EXAMPLES.filter(({ id }) => id === name).map(({ key, value }) => ({
          key,
          value: Buffer.from(value),
        })),
        ...(generated ? fc.sample(generated, { numRuns: 100, seed }).map((one) => written(layout, one)) : []),
      ]
      const seen = { endpoints: 0, nothing: 0, problems: 0 }
      for (let round = 0; round < DAMAGED_VALUES; round++) {
        const source = sources[round % sources.length] ?? { key: '', value: Buffer.alloc(0) }
        const value = damaged(source.value, random)
        const key = random() < 0.2 ? damaged(Buffer.from(source.key), random).toString() : source.key
        const placed = layout.at(layout.baseOf(key) ?? layout.base)
        seen[kindOf(placed.decode(key, value))]++
        // Every value is read in this layout. For every fourth value, the layout is also detected.
        const found = round % 4 === 0 ? detect(key, value) : null
        if (found) kindOf(found.decoded)
      }
      expect(seen.endpoints + seen.nothing + seen.problems).toBe(DAMAGED_VALUES)
      if (layout.isConfiguration) expect(seen.nothing).toBe(DAMAGED_VALUES)
      else expect(seen.problems).toBeGreaterThan(DAMAGED_VALUES / 100)
    })
  },
)

/** Plain comparisons: an assertion for each field of two million values would take minutes. */
function kindOf(decoded: DecodedKey): 'endpoints' | 'nothing' | 'problems' {
  if (decoded.kind === 'not-an-endpoint') return decoded.purpose === '' ? fail(decoded) : 'nothing'
  if (decoded.kind === 'unusable') {
    const { service, version, addr } = decoded
    const problem = decoded.problem.text
    const areTexts = [problem, service, version, addr].every((field) => typeof field === 'string')
    return areTexts && problem !== '' ? 'problems' : fail(decoded)
  }
  for (const { service, version, addr, weight, metadata } of decoded.records) {
    const areTexts = [service, version, addr, ...Object.values(metadata)].every(
      (field) => typeof field === 'string',
    )
    if (!areTexts || !Number.isFinite(weight) || weight < 0) fail(decoded)
  }
  return decoded.records.length > 0 ? 'endpoints' : fail(decoded)
}

function fail(decoded: DecodedKey): never {
  throw new Error(`not as it should be: ${JSON.stringify(decoded)}`)
}

it('reading any bytes under any key throws nothing', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)),
      (key, value) => {
        for (const layout of LAYOUTS) kindOf(layout.decode(key, value))
        detect(key, value)
      },
    ),
    { numRuns: 1_000 },
  )
})

it('reading a value of the maximum depth or length of etcd takes negligible time', () => {
  const deep = '['.repeat(700_000)
  const long = `{"name":"${'a'.repeat(1_400_000)}`
  for (const value of [
    deep,
    `{"name":${deep}`,
    long,
    `${long}"}`,
    '&='.repeat(700_000),
    '%41'.repeat(400_000),
  ]) {
    for (const layout of LAYOUTS) kindOf(layout.decode('/a/b/tcp@c:1', Buffer.from(value)))
    detect('/a/b/tcp@c:1', Buffer.from(value))
  }
})
