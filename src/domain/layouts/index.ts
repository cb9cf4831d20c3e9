import type { Layout } from './layout.js'
import { seed } from './seed.js'

export { type Decoded, isUnreadable, type Layout } from './layout.js'

/** Every layout by its name. */
export const LAYOUTS: ReadonlyMap<string, Layout> = new Map([[seed.name, seed]])

export const DEFAULT_LAYOUT: Layout = seed
