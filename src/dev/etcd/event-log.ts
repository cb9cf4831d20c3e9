import { firstAt, type Version } from './version.js'

/** All puts and deletions since the last compaction, in order. */
export class EventLog {
  private events: Version[] = []

  get sizeBytes(): number {
    return this.events.reduce((bytes, { encodedBytes }) => bytes + encodedBytes, 0)
  }

  append(changes: readonly Version[]): void {
    for (const change of changes) this.events.push(change)
  }

  /**
   * The events from a revision on, whole revisions only, and at most `maxRevisions` of them. `next` is the first
   * omitted revision; undefined if none was omitted.
   */
  since(revision: number, maxRevisions: number): { events: Version[]; next: number | undefined } {
    const from = firstAt(this.events, revision)
    let revisions = 0
    let last = 0
    for (let index = from; index < this.events.length; index++) {
      const event = this.events[index]
      if (event === undefined || event.modRevision === last) continue
      last = event.modRevision
      if (++revisions > maxRevisions) return { events: this.events.slice(from, index), next: last }
    }
    return { events: this.events.slice(from), next: undefined }
  }

  /**
   * Removes the events below `revision`, and those events at `revision` that are followed by another change of the same
   * key (`isLast` is false). A deletion at `revision` is kept for watchers that start there, as in etcd 3.5.
   */
  compact(revision: number, isLast: (event: Version) => boolean): void {
    const from = firstAt(this.events, revision)
    const after = firstAt(this.events, revision + 1)
    this.events = [...this.events.slice(from, after).filter(isLast), ...this.events.slice(after)]
  }
}
