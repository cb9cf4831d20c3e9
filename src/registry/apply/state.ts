import type { Revision } from '../../domain/endpoint.js'
import type { EtcdClient } from '../../etcd/client.js'
import { keyAfter, prefixRange } from '../../etcd/key-range.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { isOutOfHistory } from '../../etcd/range.js'

/** Keys as of one revision. */
export interface KeysAt {
  readonly revision: Revision
  /** Key-values by prefix, then by key. */
  readonly under: ReadonlyMap<string, ReadonlyMap<string, KeyValue>>
}

const PAGE_KEYS = 5_000

/** Maximum number of attempts, if etcd compacts the revision before its last page is read. */
const MAX_TRIES = 5

/** Reads all keys under some prefixes as of one revision. Needs permission only for keys under these prefixes. */
export async function readPrefixes(client: EtcdClient, prefixes: Iterable<string>): Promise<KeysAt> {
  const wanted = [...new Set(prefixes)]
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(client, wanted)
    } catch (error) {
      if (attempt === MAX_TRIES || !isOutOfHistory(error)) throw error
    }
  }
}

async function readOnce(client: EtcdClient, prefixes: readonly string[]): Promise<KeysAt> {
  let revision: Revision = 0
  const under = new Map<string, Map<string, KeyValue>>()
  for (const prefix of prefixes) {
    const found = new Map<string, KeyValue>()
    under.set(prefix, found)
    const range = prefixRange(prefix)
    for (let from: Buffer | null = range.key; from !== null; ) {
      const answer = await client.range({ ...range, key: from, limit: PAGE_KEYS, revision })
      if (revision === 0) revision = answer.header.revision
      const { pairs } = answer
      for (const kv of pairs) found.set(kv.key, { ...kv, value: Buffer.from(kv.value) })
      from = answer.more && pairs.length > 0 ? keyAfter(pairs.keyBytes(pairs.length - 1)) : null
    }
  }
  return { revision, under }
}
