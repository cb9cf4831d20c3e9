import type { Store } from '../store.js'
import { field3, type Version } from '../version.js'
import { Writer } from '../wire/writer.js'

/** Event.EventType: DELETE. PUT is 0 and omitted. */
const DELETE = 1

/** The size of the tags and lengths around an event. */
const EVENT_OVERHEAD_BYTES = 24

/** The parts of events that a watcher has requested. Watchers with the same view share the encoded events. */
export interface EventView {
  readonly prevKv: boolean
  readonly noPut: boolean
  readonly noDelete: boolean
}

/** Events in the form of a WatchResponse (field 11, tags included). */
export interface EncodedEvents {
  /** All events concatenated, to be copied at once. */
  readonly bytes: Buffer
  /** The events separately, for responses that must be split. */
  readonly each: readonly Buffer[]
}

/**
 * Events for any number of watchers. Each of the eight views (with the previous pair or without, without puts,
 * without deletions) is encoded once, when first needed.
 */
export class EventBatch {
  private readonly encodings: Array<EncodedEvents | undefined> = []

  constructor(
    private readonly store: Store,
    private readonly events: readonly Version[],
  ) {}

  for({ prevKv, noPut, noDelete }: EventView): EncodedEvents {
    const view = (prevKv ? 1 : 0) + (noPut ? 2 : 0) + (noDelete ? 4 : 0)
    const known = this.encodings[view]
    if (known !== undefined) return known
    const each = this.events
      .filter(({ deleted }) => (deleted ? !noDelete : !noPut))
      .map((event) => this.encode(event, prevKv))
    const [first, ...others] = each
    const bytes = first !== undefined && others.length === 0 ? first : Buffer.concat(each)
    const encoded = { bytes, each }
    this.encodings[view] = encoded
    return encoded
  }

  /**
   * Encodes an event, if requested with the pair at the previous revision. The previous pair is omitted if that
   * revision is compacted, and for a put that creates its key, even if the same transaction deleted the key first.
   */
  private encode(version: Version, prevKv: boolean): Buffer {
    const creates = version.createRevision === version.modRevision
    const previous = prevKv && !creates ? this.store.get(version.key, version.modRevision - 1) : undefined
    const room = version.field2.length + (previous?.field2.length ?? 0) + EVENT_OVERHEAD_BYTES
    const event = new Writer(room).number(1, version.deleted ? DELETE : 0).raw(version.field2)
    if (previous !== undefined) event.raw(field3(previous))
    return new Writer(room + EVENT_OVERHEAD_BYTES).message(11, event.body()).body()
  }
}
