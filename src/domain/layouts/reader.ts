import { type Detected, detect } from './detect.js'
import { DEFAULT_LAYOUT, LAYOUTS, type Layout, layoutNamed } from './index.js'
import { rooted, rootPrefix, underRoot, withoutRoot } from './root.js'

/** The name of the reader that detects the layout of every key. */
export const AUTO = 'auto'

/** Where registrations are stored, as given by a user. */
export interface Place {
  /** `auto`, a layout's name, or `NAME=BASE`; by default, the default layout. */
  readonly layout?: string | undefined
  /** The prefix of all keys; none by default. */
  readonly root?: string | undefined
}

/** Selects keys by their text. */
export interface KeyFilter {
  (key: string): boolean
  /** Every key that matches contains one of these, so a key without them need not be looked at. */
  readonly parts?: readonly string[]
}

/** Reads etcd's keys in one layout, or in any. Pure. */
export interface Reader {
  /** See `Place.layout`. */
  readonly layout: string
  /** The root as a prefix: empty, or ending in one slash. */
  readonly root: string
  /** The prefix of all relevant keys. */
  prefix(service?: string): string
  /** Selects the keys whose values are worth decoding; null for all keys under the prefix. */
  keyFilter(service?: string): KeyFilter | null
  /** A reader of only the default layout's keys of a service, for users without permission for more. */
  narrowed(service: string): Reader | null
  /** Decodes a key and its value; null for a key that no layout claims. Never throws. */
  read(key: string, value: Uint8Array): Detected | null
}

/** @throws DiscoError USAGE */
export function readerOf({ layout = DEFAULT_LAYOUT.name, root = '' }: Place): Reader {
  return layout === AUTO ? autoReader(rootPrefix(root)) : layoutReader(layout, rootPrefix(root))
}

/** The layout for writing, for a reader that may read all layouts. */
export function writableLayout({ layout, root }: Reader): Layout {
  return rooted(layout === AUTO ? DEFAULT_LAYOUT : layoutNamed(layout), root)
}

function layoutReader(name: string, root: string): Reader {
  const unrooted = layoutNamed(name)
  const layout = rooted(unrooted, root)
  const sharesItsPrefix = unrooted.prefix().length <= 1
  return {
    layout: name,
    root,
    prefix: layout.prefix,
    keyFilter: (service) =>
      service === undefined && sharesItsPrefix
        ? (key) => unrooted.isLikely(withoutRoot(root, key, unrooted))
        : null,
    narrowed: () => null,
    read: (key, value) => ({ layout, decoded: layout.decode(key, value) }),
  }
}

/**
 * Reads all keys, because several layouts may contain the same service, some under prefixes chosen by their teams. One
 * watch of the whole range, filtered by key, keeps the changes of a revision together; a watch per prefix would not.
 */
function autoReader(root: string): Reader {
  const reader: Reader = {
    layout: AUTO,
    root,
    prefix: () => root,
    keyFilter: (service) => (service === undefined ? likely(root) : ofService(root, service)),
    narrowed: (service) => ({
      ...reader,
      prefix: () => underRoot(root, DEFAULT_LAYOUT.prefix(service)),
      keyFilter: () => null,
      narrowed: () => null,
    }),
    read(key, value) {
      const found = detect(key, value, (layout) => withoutRoot(root, key, layout))
      if (found === null || root === '') return found
      const layout = rooted(found.layout, root)
      return { layout, decoded: layout.decode(key, value) }
    },
  }
  return reader
}

/** Keys that look like registrations. */
function likely(root: string): (key: string) => boolean {
  return (key) => REGISTRIES.some((layout) => layout.isLikely(withoutRoot(root, key, layout)))
}

/** Keys under a prefix that a layout uses for the service, at the usual base or at one chosen by a team. */
function ofService(root: string, service: string): KeyFilter {
  const usual = [...new Set(REGISTRIES.map((layout) => underRoot(root, layout.prefix(service))))]
  // The service's name with the character that follows it in keys: a cheap test that excludes nearly all other keys.
  const named = [`${service}/`, `${service}:`]
  const filter = (key: string) => {
    if (usual.some((prefix) => key.startsWith(prefix))) return true
    if (!named.some((part) => key.includes(part))) return false
    return REGISTRIES.some((layout) => {
      const own = withoutRoot(root, key, layout)
      const base = layout.baseOf(own)
      return base !== null && own.startsWith(layout.at(base).prefix(service))
    })
  }
  const unnamed = usual.filter((prefix) => !named.some((part) => prefix.includes(part)))
  return Object.assign(filter, { parts: [...named, ...unnamed] })
}

const REGISTRIES = LAYOUTS.filter(({ isConfiguration }) => !isConfiguration)
