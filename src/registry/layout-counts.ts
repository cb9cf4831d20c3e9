import type { DetectedKey } from '../domain/layouts/detect.js'
import { LAYOUTS } from '../domain/layouts/index.js'
import type { Reader } from '../domain/layouts/reader.js'
import { rooted } from '../domain/layouts/root.js'
import type { EtcdClient } from '../etcd/client.js'
import { filteredPages } from '../etcd/filtered-pages.js'
import { prefixRange } from '../etcd/key-range.js'
import { isOutOfHistory } from '../etcd/range.js'

/** Number of services, endpoints and keys of one layout. */
export interface LayoutCount {
  readonly services: number
  readonly endpoints: number
  readonly keys: number
}

/** Counts of a registry by layout, at one revision. */
export interface LayoutCounts {
  readonly revision: number
  /** Counts by the name of the layout. Layouts without keys are left out. */
  readonly layouts: ReadonlyMap<string, LayoutCount>
  /** Keys of no layout, or with a value that cannot be read. */
  readonly otherKeys: number
}

/**
 * Counts in one pass over all keys, page by page: memory grows with the layouts, not with the keys.
 *
 * @param reader detects the layout of each key
 */
export async function countLayouts(client: EtcdClient, reader: Reader): Promise<LayoutCounts> {
  const range = prefixRange(reader.prefix())
  for (;;) {
    const counter = new LayoutCounter(reader)
    try {
      for await (const page of filteredPages(client, range, reader.keyFilter() ?? all)) {
        counter.revision = page.revision
        for (const key of page.otherKeys()) counter.other(key)
        for (const { key, value } of page.kvs) counter.take(key, reader.read(key, value))
      }
      return counter
    } catch (error) {
      if (!isOutOfHistory(error)) throw error
    }
  }
}

const all = () => true

class LayoutCounter implements LayoutCounts {
  revision = 0
  otherKeys = 0
  readonly layouts = new Map<string, { services: number; endpoints: number; keys: number }>()
  /** For each layout, the prefixes of services that contain the current key. */
  private readonly open = new Map<string, string[]>()
  private readonly configurations

  constructor(reader: Reader) {
    this.configurations = LAYOUTS.filter((layout) => layout.isConfiguration).map((layout) => ({
      name: layout.name,
      prefix: rooted(layout, reader.root).prefix(),
    }))
  }

  take(key: string, found: DetectedKey | null): void {
    if (found === null || found.decoded.kind === 'unusable') this.other(key)
    else if (found.decoded.kind === 'not-an-endpoint') this.count(found.layout.name, 0, 0)
    else {
      const { layout } = found
      const { records } = found.decoded
      const prefix = layout.prefix(records[0].service)
      this.count(layout.name, this.isFirst(layout.name, prefix, key) ? 1 : 0, records.length)
    }
  }

  /** Counts a key whose value was not read: its prefix may identify it as configuration. */
  other(key: string): void {
    const configuration = this.configurations.find(({ prefix }) => key.startsWith(prefix))
    if (configuration) this.count(configuration.name, 0, 0)
    else this.otherKeys++
  }

  /**
   * Whether a prefix is new. Keys are sorted, so a prefix does not recur after a key without it: only the prefixes of the
   * current key are kept.
   */
  private isFirst(layout: string, prefix: string, key: string): boolean {
    const around = (this.open.get(layout) ?? []).filter((other) => key.startsWith(other))
    const isFirst = !around.includes(prefix)
    this.open.set(layout, isFirst ? [...around, prefix] : around)
    return isFirst
  }

  private count(layout: string, services: number, endpoints: number): void {
    const before = this.layouts.get(layout) ?? { services: 0, endpoints: 0, keys: 0 }
    this.layouts.set(layout, {
      services: before.services + services,
      endpoints: before.endpoints + endpoints,
      keys: before.keys + 1,
    })
  }
}
