import { firstAt, type Version } from './version.js'

/** The versions of one key since compaction, oldest first. */
export class KeyHistory {
  private versions: Version[] = []
  /** The last version, cached: nearly every read needs it, and a range reads thousands. */
  private newest: Version | undefined

  constructor(readonly key: string) {}

  add(version: Version): void {
    this.versions.push(version)
    this.newest = version
  }

  /** Undoes the last `add`. @returns whether any version is left */
  removeLast(): boolean {
    this.versions.pop()
    this.newest = this.versions.at(-1)
    return this.versions.length > 0
  }

  /** The pair as of a revision; undefined if the key did not exist, or was deleted. */
  at(revision: number): Version | undefined {
    const { newest } = this
    const found = newest && newest.modRevision <= revision ? newest : this.versions[this.indexAt(revision)]
    return found?.deleted ? undefined : found
  }

  /** The last put or deletion at or below a revision. */
  lastChangeAt(revision: number): Version | undefined {
    return this.versions[this.indexAt(revision)]
  }

  /**
   * Removes the versions that can be read only below `revision`: all that are older than the pair as of `revision`.
   *
   * @returns whether any version is left
   */
  compact(revision: number): boolean {
    const index = this.indexAt(revision)
    const keepFrom = this.versions[index]?.deleted ? index + 1 : Math.max(index, 0)
    if (keepFrom > 0) this.versions = this.versions.slice(keepFrom)
    this.newest = this.versions.at(-1)
    return this.versions.length > 0
  }

  /** The index of the last version at or below a revision; -1 if there is none. */
  private indexAt(revision: number): number {
    return firstAt(this.versions, revision + 1) - 1
  }
}
