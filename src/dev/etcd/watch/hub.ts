import { contains, type KeyRange } from '../sorted-keys.js'
import type { Store } from '../store.js'
import type { Version } from '../version.js'
import { EventBatch } from './event-batch.js'
import type { Watcher } from './watcher.js'

/** The maximum number of past revisions in one response (etcd's own limit). */
const CATCH_UP_REVISIONS = 1000

/** Watchers of the same range: each event is matched once, and encoded once for all of them. */
interface Group {
  readonly range: KeyRange
  readonly watchers: Set<Watcher>
}

/** Notifications of a watcher other than events. */
export interface Announcements {
  compacted(watcher: Watcher, compactRevision: number): void
  progress(watcher: Watcher): void
}

/** Delivers every revision of a store to its watchers, once and in order. */
export class WatchHub {
  private readonly singleKeys = new Map<string, Group>()
  private readonly ranges = new Map<string, Group>()
  private readonly progressTimer: NodeJS.Timeout

  constructor(
    private readonly store: Store,
    private readonly announce: Announcements,
    progressPeriodMs: number,
  ) {
    store.onCommit((revision, changes) => this.notify(revision, changes))
    this.progressTimer = setInterval(() => this.notifyProgress(), progressPeriodMs).unref()
  }

  /** Adds a watcher. If it starts in the past, it receives past events immediately. */
  add(watcher: Watcher): void {
    const { range } = watcher
    const groups = this.groupsOf(range)
    const group = groups.get(groupKey(range))
    if (group) group.watchers.add(watcher)
    else groups.set(groupKey(range), { range, watchers: new Set([watcher]) })
    this.catchUp(watcher)
  }

  remove(watcher: Watcher): void {
    const groups = this.groupsOf(watcher.range)
    const group = groups.get(groupKey(watcher.range))
    group?.watchers.delete(watcher)
    if (group?.watchers.size === 0) groups.delete(groupKey(watcher.range))
  }

  /** Sends a watcher the events that it has not received yet, or as many as its stream accepts now. */
  catchUp(watcher: Watcher): void {
    while (watcher.nextRevision <= this.store.revision) {
      if (watcher.nextRevision < this.store.compactRevision) {
        this.remove(watcher)
        watcher.compacted = true
        this.announce.compacted(watcher, this.store.compactRevision)
        return
      }
      if (watcher.sink.congested) {
        watcher.behind = true
        return
      }
      const { events, next } = this.store.log.since(watcher.nextRevision, CATCH_UP_REVISIONS)
      const wanted = events.filter(({ key }) => contains(watcher.range, key))
      this.give(watcher, this.store.revision, new EventBatch(this.store, wanted))
      watcher.nextRevision = next ?? this.store.revision + 1
    }
    watcher.behind = false
  }

  stop(): void {
    clearInterval(this.progressTimer)
  }

  private notify(revision: number, changes: readonly Version[]): void {
    for (const group of this.ranges.values()) {
      const wanted = changes.filter(({ key }) => contains(group.range, key))
      if (wanted.length > 0) this.deliver(group, revision, wanted)
    }
    const byKey = new Map<Group, Version[]>()
    for (const change of changes) {
      const group = this.singleKeys.get(change.key)
      if (group) byKey.set(group, [...(byKey.get(group) ?? []), change])
    }
    for (const [group, wanted] of byKey) this.deliver(group, revision, wanted)
  }

  private deliver(group: Group, revision: number, wanted: readonly Version[]): void {
    const batch = new EventBatch(this.store, wanted)
    for (const watcher of group.watchers) {
      if (watcher.behind || watcher.nextRevision > revision) continue
      if (watcher.sink.congested) {
        watcher.nextRevision = revision
        watcher.behind = true
      } else this.give(watcher, revision, batch)
    }
  }

  /** Sends events to a watcher. A response without events is not sent, because it would be a progress notification. */
  private give(watcher: Watcher, revision: number, batch: EventBatch): void {
    const events = batch.for(watcher.view)
    if (events.each.length === 0) return
    watcher.sink.events(watcher, revision, events)
    watcher.quiet = false
  }

  private notifyProgress(): void {
    for (const group of [...this.singleKeys.values(), ...this.ranges.values()]) {
      for (const watcher of group.watchers) {
        const isDue = watcher.progressNotify && watcher.quiet && watcher.isSyncedAt(this.store.revision)
        if (isDue) this.announce.progress(watcher)
        watcher.quiet = true
      }
    }
  }

  private groupsOf(range: KeyRange): Map<string, Group> {
    return range.end === undefined ? this.singleKeys : this.ranges
  }
}

function groupKey({ key, end }: KeyRange): string {
  return end === undefined ? key : `${key.length}:${key}${end}`
}
