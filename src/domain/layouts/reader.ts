import { type Detected, detect } from './detect.js'
import { DEFAULT_LAYOUT, LAYOUTS, type Layout, layoutNamed } from './index.js'
import { rooted, rootPrefix, underRoot, withoutRoot } from './root.js'

/** The name of the reader that detects the layout of every key. */
export const AUTO = 'auto'

/** Where registrations are stored, as given by a user. */
export interface Place {
  /** `auto`, a layout's name, or `NAME=BASE`; the default layout where nothing is said. */
  readonly layout?: string | undefined
  /** The prefix of all keys; none where nothing is said. */
  readonly root?: string | undefined
}

/** A way to look at etcd's keys. Pure. */
export interface Reader {
  /** As `Place.layout`. */
  readonly layout: string
  /** As a prefix: empty, or ending in one slash. */
  readonly root: string
  /** The prefix of all relevant keys. */
  prefix(service?: string): string
  /** Selects the keys whose values are worth decoding; null for all keys under the prefix. */
  keyFilter(service?: string): ((key: string) => boolean) | null
  /** One that looks at nothing but the default layout's keys of a service, for users who may see no more. */
  narrowed(service: string): Reader | null
  /** Null for a key that no layout claims. Never throws. */
  read(key: string, value: Uint8Array): Detected | null
}

/** @throws DiscoError USAGE */
export function readerOf({ layout = DEFAULT_LAYOUT.name, root = '' }: Place): Reader {
  return layout === AUTO ? autoReader(rootPrefix(root)) : layoutReader(layout, rootPrefix(root))
}

/** What is written where such a reader looks: registrations are found in any layout and made in one. */
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
 * Looks at all keys: several layouts, some with prefixes of their team's choice, may have the same service.
 * One range, filtered by key, is watched as one; a watch for each layout's prefix would take revisions apart.
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

/** Keys that look like somebody's registration. */
function likely(root: string): (key: string) => boolean {
  return (key) => REGISTRIES.some((layout) => layout.isLikely(withoutRoot(root, key, layout)))
}

/** Keys under a prefix that a layout has for the service, be it the usual one or of a team's own choice. */
function ofService(root: string, service: string): (key: string) => boolean {
  const usual = [...new Set(REGISTRIES.map((layout) => underRoot(root, layout.prefix(service))))]
  return (key) => {
    if (usual.some((prefix) => key.startsWith(prefix))) return true
    // What follows a name under a base of a team's own choice; a cheap no for nearly every key.
    if (!key.includes(`${service}/`) && !key.includes(`${service}:`)) return false
    return REGISTRIES.some((layout) => {
      const own = withoutRoot(root, key, layout)
      const base = layout.baseOf(own)
      return base !== null && own.startsWith(layout.at(base).prefix(service))
    })
  }
}

const REGISTRIES = LAYOUTS.filter(({ isConfiguration }) => !isConfiguration)
