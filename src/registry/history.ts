import type { Abortable } from '../domain/abortable.js'
import type { Revision } from '../domain/endpoint.js'
import { ALL_ENDPOINTS, type EndpointFilter } from '../domain/endpoint-filter.js'
import { type EndpointEvent, eventsBetween } from '../domain/events.js'
import type { Reader } from '../domain/layouts/reader.js'
import type { EtcdClient } from '../etcd/client.js'
import { type HistoryEnd, historyEnd } from '../etcd/history-end.js'
import { prefixRange } from '../etcd/key-range.js'
import type { KeyValue } from '../etcd/pairs.js'
import { type PastChange, replay } from '../etcd/replay.js'
import { decodeEndpoints } from './decode.js'
import { explainForbidden, isForbidden } from './etcd-refusals.js'
import { concerns } from './events.js'
import type { Registry } from './registry.js'
import { compactedRevision, futureRevision } from './revisions.js'

/** A change of one endpoint, at a revision. */
export type PastEvent = EndpointEvent & { readonly revision: Revision }

/** A part of a history, in order. */
export type HistoryPart =
  /** `reached` is the revision up to which changes were read. */
  | { readonly type: 'events'; readonly events: readonly PastEvent[]; readonly reached: Revision }
  /** etcd has compacted the changes up to this revision that were not yet delivered. */
  | { readonly type: 'compacted'; readonly revision: Revision }

/** The history of a service, or of all services, up to the time when it was opened. */
export interface History {
  readonly clusterId: string
  readonly raftTerm: number
  /** The newest revision. */
  readonly revision: Revision
  /**
   * Reads the changes after a revision. Memory use does not depend on the number of changes. Ends without an error when
   * the signal aborts.
   *
   * @throws DiscoError REVISION_UNAVAILABLE for a future revision and, with `onCompacted: 'fail'`, for a compacted one
   */
  changes(options?: ChangesOptions): AsyncGenerator<HistoryPart, void, void>
}

export interface ChangesOptions {
  /** The changes after this revision; by default, all that etcd has. */
  readonly after?: Revision
  /**
   * Whether it is an error that etcd has compacted changes after that revision. Default: no, the history begins later.
   */
  readonly onCompacted?: 'fail' | 'begin-later'
  /** Selects the changes of endpoints that meet the filter before or after the change. */
  readonly filter?: EndpointFilter
}

/** Opens the history of a service, or of all services. The signal ends reading it. */
export async function openHistory(
  registry: Registry,
  service: string | undefined,
  { signal = NEVER }: Abortable = {},
): Promise<History> {
  const { client, reader, end } = await readEnd(registry, service, signal)
  const { clusterId, raftTerm, revision } = end
  const range = prefixRange(reader.prefix(service))
  return {
    clusterId,
    raftTerm,
    revision,
    async *changes({ after = 0, onCompacted = 'begin-later', filter = ALL_ENDPOINTS } = {}) {
      if (after > revision) throw futureRevision(after, revision)
      let isFirst = true
      const span = { after, end, filter: reader.keyFilter(service) }
      for await (const part of replay(client, range, span, signal)) {
        if (part.type === 'compacted') {
          if (isFirst && onCompacted === 'fail') throw compactedRevision(after, part.revision, revision)
          yield part
        } else {
          const events = part.changes.flatMap((change) => eventsOf(change, reader, service))
          const wanted = events.filter((event) => concerns(filter, event))
          yield { type: 'events', events: wanted, reached: part.reached }
        }
        isFirst = false
      }
    },
  }
}

const NEVER = new AbortController().signal

/** The end of the history, and a reader of the keys that the user may read. */
async function readEnd(
  registry: Registry,
  service: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly client: EtcdClient; readonly reader: Reader; readonly end: HistoryEnd }> {
  const { client, reader } = registry.internals({ signal })
  const endBy = (one: Reader) => historyEnd(client, prefixRange(one.prefix(service)))
  try {
    return { client, reader, end: await endBy(reader) }
  } catch (error) {
    const narrowed = isForbidden(error) && service !== undefined ? reader.narrowed(service) : null
    if (!narrowed) throw explainForbidden(error, reader)
    return { client, reader: narrowed, end: await endBy(narrowed) }
  }
}

function eventsOf(
  { key, revision, before, after }: PastChange,
  reader: Reader,
  service: string | undefined,
): PastEvent[] {
  const stateOf = (kv: KeyValue | null) => ({
    byKey: new Map([[key, kv === null ? [] : decodeEndpoints(reader, kv, service)]]),
  })
  return eventsBetween(stateOf(before), stateOf(after), [key]).map((event) => ({ ...event, revision }))
}
