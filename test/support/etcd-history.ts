import type { EtcdApi, Message } from './etcd-api.js'

/** One event of a key, with the weight that was put; null for a deletion. */
export interface Happened {
  readonly revision: number
  readonly key: string
  readonly weight: number | null
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const text = (encoded: unknown) => Buffer.from(String(encoded), 'base64').toString()

/**
 * All events that etcd recorded under a prefix after one revision, up to and including another.
 *
 * @param upTo a revision with an event under the prefix, at which the reading ends
 */
export async function historyOf(
  api: EtcdApi,
  prefix: string,
  { after, upTo }: { after: number; upTo: number },
): Promise<Happened[]> {
  const stream = api.stream('Watch/Watch')
  // The stream is ended by cancelling it, which raises an error.
  stream.on('error', () => undefined)
  const range = { key: base64(prefix), range_end: base64(prefix.replace(/\/$/, '0')) }
  stream.write({ create_request: { ...range, start_revision: String(after + 1) } })
  const happened: Happened[] = []
  try {
    for await (const { events, canceled } of stream as AsyncIterable<Message & { events: EventMessage[] }>) {
      if (canceled) throw new Error('the history is compacted')
      for (const { type, kv } of events) {
        const revision = Number(kv.mod_revision)
        const weight = type === 1 ? null : (JSON.parse(text(kv.value)) as { weight: number }).weight
        if (revision <= upTo) happened.push({ revision, key: text(kv.key), weight })
      }
      if (Number(events.at(-1)?.kv.mod_revision) >= upTo) return happened
    }
  } finally {
    stream.cancel()
  }
  throw new Error('etcd ended the watch')
}

interface EventMessage {
  /** The event type in etcd’s API: 0 for a put, 1 for a deletion. */
  readonly type: number
  readonly kv: { readonly key: string; readonly value: string; readonly mod_revision: string }
}
