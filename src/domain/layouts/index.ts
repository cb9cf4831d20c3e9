import type { Layout } from './layout.js'
import { seed } from './seed.js'

export { isUnreadable, type Layout } from './layout.js'

/** What is written, and what production resolvers read. */
export const DEFAULT_LAYOUT: Layout = seed
