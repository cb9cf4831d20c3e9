import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isUnreadable } from '../../src/domain/layouts/index.js'
import { seed } from '../../src/domain/layouts/seed.js'

interface Vectors {
  readonly layouts: readonly {
    readonly id: string
    readonly default_ttl_s: number
    readonly examples: readonly { readonly key: string; readonly value: string }[]
  }[]
}

const file = new URL('vectors/layouts.json', import.meta.url)
const { layouts }: Vectors = JSON.parse(readFileSync(file, 'utf8'))
const vectors = layouts.find(({ id }) => id === 'seed')

describe('the seed layout against what its own writers stored', () => {
  it("has examples to go by, and the writers' TTL", () => {
    expect(vectors?.examples.length).toBeGreaterThanOrEqual(4)
    expect(seed.defaultTtlSeconds).toBe(vectors?.default_ttl_s)
  })

  it.each(vectors?.examples ?? [])('reads $key, and writes the same bytes', ({ key, value }) => {
    const decoded = seed.decode(key, Buffer.from(value))
    if (isUnreadable(decoded)) throw new Error(decoded.problem)
    expect(decoded).toHaveLength(1)
    const encoded = seed.encode(decoded[0])
    expect(encoded.key).toBe(key)
    expect(Buffer.from(encoded.value)).toEqual(Buffer.from(value))
    const { name, addr, version, weight } = JSON.parse(value)
    expect(decoded[0]).toEqual({ service: name, addr, version, weight, metadata: {} })
  })
})
