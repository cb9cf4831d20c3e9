import { textOf } from '../key-text.js'
import { DEFAULT_LAYOUT, LAYOUTS } from './index.js'
import { isObject } from './json-fields.js'
import { CLAIM_ORDER, type DecodedKey, type Layout, type Value } from './layout.js'

/** A key with its value, and the layout that it is written in. */
export interface DetectedKey {
  readonly layout: Layout
  readonly decoded: DecodedKey
}

/** The strongest evidence first. The sort is stable, so that layouts of one kind keep their order. */
const BY_CLAIM = [...LAYOUTS].sort(
  (a, b) => CLAIM_ORDER.indexOf(a.claimedBy) - CLAIM_ORDER.indexOf(b.claimedBy),
)

/** The layouts recognised by the base of a key. The default layout is last, because its base is `/`. */
const BY_BASE = [...LAYOUTS.filter(({ ownsBase }) => ownsBase), DEFAULT_LAYOUT]

/**
 * Detects the layout of a key, first by the value and then by the key. Keys alone are ambiguous: a seed key without a
 * version has the same form as a Kitex key without a prefix. Never throws.
 *
 * @param keyFor the key in the form of the layout, without the root
 * @returns null if no layout matches the value or the key
 */
export function detect(
  key: string,
  bytes: Uint8Array,
  keyFor: (layout: Layout) => string = () => key,
): DetectedKey | null {
  const value = readValue(bytes)
  const layout =
    BY_CLAIM.find((known) => known.claims(value, keyFor(known))) ??
    BY_BASE.find((known) => keyFor(known).startsWith(known.prefix()))
  if (!layout) return null
  const own = keyFor(layout)
  const base = layout.baseOf(own) ?? layout.base
  const atBase = base === layout.base ? layout : layout.at(base)
  return { layout: atBase, decoded: atBase.decode(own, bytes) }
}

/** A value in the form that `Layout.claims` takes. */
export function readValue(bytes: Uint8Array): Value {
  const text = textOf(bytes)
  try {
    const parsed: unknown = JSON.parse(text)
    return { text, members: isObject(parsed) ? parsed : null }
  } catch {
    return { text, members: null }
  }
}
