import { readFileSync } from 'node:fs'

/** The examples of one layout, byte for byte as its own writers store them. */
export interface LayoutVectors {
  readonly id: string
  readonly default_ttl_s: number
  readonly exactness: string
  readonly examples: readonly Example[]
}

export interface Example {
  readonly key: string
  readonly value: string
  readonly lease: boolean
}

const file = new URL('../conformance/vectors/layouts.json', import.meta.url)
const vectors: { layouts: readonly LayoutVectors[] } = JSON.parse(readFileSync(file, 'utf8'))

export const LAYOUT_VECTORS = vectors.layouts

export const ALL_EXAMPLES = LAYOUT_VECTORS.flatMap(({ id, examples }) =>
  examples.map((example) => ({ id, ...example })),
)
