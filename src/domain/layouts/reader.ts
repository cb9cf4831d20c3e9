import { type DetectedKey, detect } from './detect.js'
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
  /** Every key that matches contains one of these texts. A cheap search for them excludes most keys. */
  readonly parts?: readonly string[]
}

/** Reads keys of etcd in one layout, or detects the layout of each key. Pure. */
export interface Reader {
  /** As given in `Place.layout`. */
  readonly layout: string
  /** The root as a prefix: empty, or ending in one slash. */
  readonly root: string
  /** The prefix of all keys that may hold the service; without a service, of all keys that may hold any. */
  prefix(service?: string): string
  /** Selects the keys whose values are worth decoding; null for all keys under the prefix. */
  keyFilter(service?: string): KeyFilter | null
  /**
   * A reader of the service's keys under the prefix of the default layout, for users without permission for more. Null
   * if the reader does not detect layouts.
   */
  narrowed(service: string): Reader | null
  /** Decodes a key and its value; null for a key that no layout claims. Never throws. */
  read(key: string, value: Uint8Array): DetectedKey | null
}

/** @throws DiscoError USAGE */
export function readerOf({ layout = DEFAULT_LAYOUT.name, root = '' }: Place): Reader {
  return layout === AUTO ? autoReader(rootPrefix(root)) : layoutReader(layout, rootPrefix(root))
}

/** The layout in which to write: that of the reader, or the default layout for a reader that detects layouts. */
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
 * watch of the whole range, filtered by key, keeps the changes of a revision together. A watch per prefix would not.
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

/** Selects keys that look like registrations. */
function likely(root: string): (key: string) => boolean {
  return (key) => REGISTRIES.some((layout) => layout.isLikely(withoutRoot(root, key, layout)))
}

/** Selects keys under a prefix that a layout uses for the service, at the default base or at another one. */
function ofService(root: string, service: string): KeyFilter {
  const usual = [...new Set(REGISTRIES.map((layout) => underRoot(root, layout.prefix(service))))]
  // The service's name with the character that follows it in keys. A cheap test, which excludes nearly all other keys.
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

/** The layouts of registrations. */
const REGISTRIES = LAYOUTS.filter(({ isConfiguration }) => !isConfiguration)
