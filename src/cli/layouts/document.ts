import { LAYOUTS, type Layout } from '../../domain/layouts/index.js'
import type { LayoutCount, LayoutCounts } from '../../registry/layout-counts.js'

export interface LayoutDoc {
  readonly name: string
  /** The form of the layout's keys, such as `/{name}/[{version}/]{addr}`. */
  readonly keyForm: string
  /** The prefix before the service's name in the keys, unless `--layout NAME=BASE` gives another one. */
  readonly base: string
  /** The default TTL of the layout's leases; null if the layout has no leases. */
  readonly ttlSeconds: number | null
  readonly carriesWeight: boolean
  readonly writable: boolean
  /** Why the layout carries no weight, or why disco does not write it; empty if neither applies. */
  readonly reasons: readonly string[]
  /**
   * Whether the keys are the configuration of another system, such as a proxy: disco recognises and never changes them.
   */
  readonly configuration: boolean
  /** Number of services, endpoints and keys in this layout; null if etcd is unreachable or denies access. */
  readonly services: number | null
  readonly endpoints: number | null
  readonly keys: number | null
}

export interface LayoutsDoc {
  readonly schema: 'disco.layouts/v1'
  /** Null if etcd is unreachable or denies access. */
  readonly rev: string | null
  readonly root: string
  readonly layouts: readonly LayoutDoc[]
  /**
   * Number of keys that match no layout, or whose value cannot be read; null if etcd is unreachable or denies access.
   */
  readonly otherKeys: number | null
}

/** @param counts null if etcd is unreachable or denies access */
export function layoutsDoc(root: string, counts: LayoutCounts | null): LayoutsDoc {
  const none: LayoutCount = { services: 0, endpoints: 0, keys: 0 }
  return {
    schema: 'disco.layouts/v1',
    rev: counts === null ? null : String(counts.revision),
    root,
    layouts: LAYOUTS.map((layout) =>
      layoutDoc(layout, counts === null ? null : (counts.layouts.get(layout.name) ?? none)),
    ),
    otherKeys: counts?.otherKeys ?? null,
  }
}

function layoutDoc(layout: Layout, count: LayoutCount | null): LayoutDoc {
  const { name, keys: keyForm, base, weightless, readOnly, isConfiguration: configuration } = layout
  return {
    name,
    keyForm,
    base,
    ttlSeconds: layout.defaultTtlSeconds || null,
    carriesWeight: weightless === null,
    writable: readOnly === null,
    reasons: [...new Set([weightless, readOnly])].filter((reason) => reason !== null),
    configuration,
    ...(count ?? { services: null, endpoints: null, keys: null }),
  }
}
