import { defineLayout, endsInAddress } from './define.js'
import { goJson, goMap } from './go-json.js'
import { asText, Fields, isObject } from './json-fields.js'
import { Problem } from './layout.js'

/**
 * etcd's own naming (client/v3/naming/endpoints, and clientv3/naming before 3.5): key `{target}/{anything}`, by
 * convention `{target}/{addr}`, with or without a leading slash. The target is the service, including its slashes.
 */
export const etcd = defineLayout({
  name: 'etcd',
  base: '',
  keys: '{target}/{addr, or any id}',
  defaultTtlSeconds: 0,
  weightless: "etcd's naming has no field for a weight, and its Metadata is free-form",
  id: 'optional',
  allowsSlashes: true,
  claimedBy: 'members',
  claims: ({ members }) =>
    members !== null && 'Addr' in members && ('Op' in members || 'Metadata' in members),
  baseOf: (key) => (key.startsWith('/') ? '/' : ''),
  isLikely: (key) => (key.startsWith('/') ? endsInAddress(key) : key.includes('/')),
  keyParts(rest) {
    const slash = rest.lastIndexOf('/')
    return { service: rest.slice(0, Math.max(0, slash)), version: '', addr: rest.slice(slash + 1) }
  },
  read(value, rest) {
    const fields = Fields.parse(value)
    const op = fields.any('Op') ?? 0
    if (typeof op !== 'number' && op !== 'Add')
      throw new Problem("Op is not a number: etcd's clients skip it")
    if (op !== 0 && op !== 'Add') throw new Problem(`Op ${op} does not add an endpoint`)
    const addr = fields.text('Addr')
    if (addr === '') throw new Problem('Addr is empty')
    const stored = fields.any('Metadata') ?? null
    const metadata = isObject(stored) ? Object.fromEntries(Object.entries(stored).map(asText)) : {}
    const given = { ...(stored === null ? {} : { Metadata: stored }), ...(op === 0 ? {} : { Op: op }) }
    const extra = Object.keys(given).length === 0 ? {} : { extra: given }
    const common = { version: '', addr, weight: 0, metadata, ...extra }
    if (rest.endsWith(`/${addr}`)) {
      const named = { ...common, service: rest.slice(0, -addr.length - 1) }
      // A scalar is an id by which Go pickers pin. The gRPC proxy of etcd stores JSON text, which is not an id.
      const isScalar = typeof stored === 'number' || (typeof stored === 'string' && /^[^{]+$/.test(stored))
      if (!isScalar) return [named]
      return [{ ...named, id: String(stored), extra: { ...given, isIdMetadata: true } }]
    }
    const slash = rest.lastIndexOf('/')
    if (slash < 1) throw new Problem('key has no target')
    return [{ ...common, service: rest.slice(0, slash), id: rest.slice(slash + 1) }]
  },
  key: ([{ service, addr, id, extra }], base) =>
    `${base}${service}/${extra?.isIdMetadata === true ? addr : (id ?? addr)}`,
  write([{ addr, metadata, extra }]) {
    const given = Object.keys(metadata).length === 0 ? null : metadata
    return goJson({ Op: extra?.Op ?? 0, Addr: addr, Metadata: goMap(extra?.Metadata ?? given) })
  },
  hint: ({ extra }) =>
    extra?.Op !== undefined
      ? { code: 'op-text', text: "etcd's own clients skip a value whose Op is a text" }
      : extra?.Metadata === undefined
        ? null
        : {
            code: 'metadata-unseen',
            text: 'etcd clients since 3.5.27 and 3.6.8 hide Metadata from gRPC',
          },
})
