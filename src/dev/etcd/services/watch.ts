import { refusals } from '../errors.js'
import { asSent } from '../sorted-keys.js'
import type { Store } from '../store.js'
import type { ServerStream, StreamHandler, StreamMethod } from '../transport/service.js'
import type { Announcements, WatchHub } from '../watch/hub.js'
import { WatchSink } from '../watch/sink.js'
import { Watcher } from '../watch/watcher.js'
import type { Headers } from '../wire/responses.js'
import { readWatch, type WatchCreateRequest } from '../wire/watch-requests.js'

/**
 * The watch id of a response that does not belong to a watcher: a refused create request, or progress of the whole
 * stream.
 */
const NO_WATCHER = -1n

const EMPTY_RANGE = 'mvcc: watcher range is empty'
const DUPLICATE_ID = 'mvcc: duplicate watch ID provided on the WatchStream'

/** etcdserverpb.Watch: any number of watchers on each stream. */
export function watchMethod(store: Store, hub: WatchHub, headers: Headers): StreamMethod {
  return (stream) => new WatchStream(store, hub, headers, stream)
}

/** WatchResponse fields 2 to 6 (etcd API). */
interface Notice {
  readonly watchId: bigint
  readonly revision: number
  readonly created?: boolean
  readonly canceled?: boolean
  readonly compactRevision?: number
  readonly cancelReason?: string
}

function frame(headers: Headers, notice: Notice): Buffer {
  const {
    watchId,
    revision,
    created = false,
    canceled = false,
    compactRevision = 0,
    cancelReason = '',
  } = notice
  return headers
    .response(revision)
    .bigint(2, watchId)
    .boolean(3, created)
    .boolean(4, canceled)
    .number(5, compactRevision)
    .text(6, cancelReason)
    .frame()
}

/** The messages of the hub to a watcher, other than events. */
export function announcements(store: Store, headers: Headers): Announcements {
  return {
    /** As in etcd, the header has no revision, and the client may still cancel the watcher. */
    compacted: ({ id, sink }, compactRevision) =>
      sink.control(frame(headers, { watchId: id, revision: 0, canceled: true, compactRevision })),
    progress: ({ id, sink }) => sink.control(frame(headers, { watchId: id, revision: store.revision })),
  }
}

class WatchStream implements StreamHandler {
  private readonly watchers = new Map<bigint, Watcher>()
  private readonly sink: WatchSink
  private nextId = 0n

  constructor(
    private readonly store: Store,
    private readonly hub: WatchHub,
    private readonly headers: Headers,
    stream: ServerStream,
  ) {
    this.sink = new WatchSink(stream, headers)
  }

  message(source: Buffer): void {
    const message = readWatch(source)
    if (message.kind === 'create') this.create(message.request)
    else if (message.kind === 'cancel') this.cancel(message.watchId)
    else if (message.kind === 'progress') this.progress()
  }

  /** A client that has closed its sending half keeps its watchers. */
  halfClosed(): void {}

  drained(): void {
    for (const watcher of this.watchers.values()) if (watcher.behind) this.hub.catchUp(watcher)
  }

  closed(): void {
    for (const watcher of this.watchers.values()) this.hub.remove(watcher)
    this.watchers.clear()
  }

  private create(request: WatchCreateRequest): void {
    // An absent key counts as the smallest one. In a watch, an empty range_end counts as absent.
    const range = asSent(request.key || '\0', request.rangeEnd || undefined)
    const { watchId, startRevision, prevKv, noPut, noDelete, fragment, progressNotify } = request
    const isEmpty = range.end !== undefined && range.end !== '' && range.key >= range.end
    const isDuplicate = watchId !== 0n && this.watchers.has(watchId)
    const isBeforeAll = startRevision < 0
    if (isBeforeAll || isEmpty || isDuplicate) {
      // etcd checks in this order: revision, range, id.
      const ofRange = isEmpty ? EMPTY_RANGE : DUPLICATE_ID
      const cancelReason = isBeforeAll ? refusals.compacted().message : ofRange
      this.notice({ watchId: NO_WATCHER, created: true, canceled: true, cancelReason })
      return
    }

    const id = watchId === 0n ? this.freeId() : watchId
    const view = { prevKv, noPut, noDelete }
    const watcher = new Watcher(
      id,
      range,
      view,
      fragment,
      progressNotify,
      this.sink,
      startRevision,
      this.store.revision,
    )
    this.watchers.set(id, watcher)
    this.notice({ watchId: id, created: true })
    this.hub.add(watcher)
  }

  /** Cancels a watcher. Like etcd, does not answer for an unknown watcher. */
  private cancel(id: bigint): void {
    const watcher = this.watchers.get(id)
    if (watcher === undefined) return
    this.hub.remove(watcher)
    this.watchers.delete(id)
    this.notice({ watchId: id, canceled: true })
  }

  /**
   * Answers a progress request, unless the stream has no watcher or one of them is not synced: the answer is for all
   * watchers of the stream (etcd 3.5, etcd-io/etcd#15220).
   */
  private progress(): void {
    const { revision } = this.store
    const watchers = [...this.watchers.values()]
    if (watchers.length > 0 && watchers.every((watcher) => watcher.isSyncedAt(revision))) {
      this.notice({ watchId: NO_WATCHER })
    }
  }

  private freeId(): bigint {
    while (this.watchers.has(this.nextId)) this.nextId += 1n
    return this.nextId++
  }

  private notice(notice: Omit<Notice, 'revision'>): void {
    this.sink.control(frame(this.headers, { revision: this.store.revision, ...notice }))
  }
}
