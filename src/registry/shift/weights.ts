import type { Endpoint, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Reader } from '../../domain/layouts/reader.js'
import {
  type AtomicOutcome,
  MAX_ATOMIC_BYTES,
  MAX_ATOMIC_WRITES,
  writeAtomically,
} from '../../etcd/atomic-write.js'
import type { EtcdClient } from '../../etcd/client.js'
import type { Write } from '../../etcd/guarded-write.js'
import { type KeyRange, prefixRange } from '../../etcd/key-range.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { readKeys } from '../../etcd/range.js'
import { type EndpointList, listEndpoints } from '../listing.js'
import { planned } from '../weight-plan.js'

/** Maximum number of keys in one request. */
const KEYS_AT_ONCE = 128

/** Reads keys at one revision. The result has the order of `keys`, and null for a missing key. */
export async function readAllKeys(
  client: EtcdClient,
  keys: readonly string[],
  revision: Revision,
): Promise<(KeyValue | null)[]> {
  const found: (KeyValue | null)[] = []
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const { kvs } = await readKeys(client, keys.slice(at, at + KEYS_AT_ONCE), revision)
    found.push(...kvs)
  }
  return found
}

/** The endpoints of a service at one revision, with their keys and values. */
export interface KeyedList extends EndpointList {
  readonly kvs: ReadonlyMap<string, KeyValue>
}

/** Lists a service with its keys and values in a single read, so that little time passes before the transaction. */
export async function listKeys(client: EtcdClient, reader: Reader, service: string): Promise<KeyedList> {
  const kvs = new Map<string, KeyValue>()
  const list = await listEndpoints(client, reader, service, {
    onKey: (kv) => kvs.set(kv.key, kv),
  })
  return { ...list, kvs }
}

/**
 * Writes weights in one transaction. etcd refuses it if a key of the service was created or written since the list, or if
 * a key to write was deleted.
 * Keys whose weight stays above 0 are written too, so that all keys of a shift have the same revision for `undoShift`.
 *
 * @param weights by key
 * @throws DiscoError CONFLICT if a value cannot carry a weight, or the writes exceed one transaction;
 *   OUTCOME_UNKNOWN
 */
export async function writeWeights(
  client: EtcdClient,
  reader: Reader,
  { revision, endpoints, kvs }: KeyedList,
  weights: ReadonlyMap<string, number>,
): Promise<AtomicOutcome> {
  const writes = [...weights].flatMap(([key, weight]): Write[] => {
    const kv = kvs.get(key)
    if (kv === undefined) return []
    const { value, from, to } = planned(reader, kv, { kind: 'set', weight })
    // The revision of a drained key shows since when it is drained, so the key is not written again.
    if (from === 0 && to === 0) return []
    return [{ seen: { key, revision: kv.modRevision, at: revision }, value }]
  })
  const [first, ...rest] = writes
  if (!first) return { done: true, revision }
  const bytes = writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  if (writes.length > MAX_ATOMIC_WRITES || bytes > MAX_ATOMIC_BYTES) {
    throw new DiscoError(
      'CONFLICT',
      `${writes.length} keys with ${bytes} bytes do not fit in one transaction of etcd, and a shift is not split`,
      {
        suggestions: [`At most ${MAX_ATOMIC_WRITES} keys and ${MAX_ATOMIC_BYTES} bytes; nothing was changed`],
      },
    )
  }
  return await writeAtomically(
    client,
    [first, ...rest],
    guardRanges(reader, endpoints, [...kvs.values()]),
    revision,
  )
}

/** The prefixes of the service's keys: a key added under one of them would change the shares. */
function guardRanges(reader: Reader, endpoints: readonly Endpoint[], kvs: readonly KeyValue[]): KeyRange[] {
  const service = endpoints[0]?.service ?? ''
  const prefixes = new Set<string>()
  for (const kv of kvs) {
    const prefix = reader.read(kv.key, kv.value)?.layout.prefix(service)
    if (prefix !== undefined && prefix.length > 1 && kv.key.startsWith(prefix)) prefixes.add(prefix)
  }
  return [...prefixes].map(prefixRange)
}
