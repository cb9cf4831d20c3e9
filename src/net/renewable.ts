/** Content of files that can be read again: certificates are renewed on disk while a process runs. */
export interface Renewable<Value> {
  /** As it was last read. */
  readonly current: Value
  /** Reads it again. What cannot be read leaves the last value in place. Never rejects. */
  renew(): Promise<void>
}

/** @throws what the first reading throws */
export async function renewable<Value>(read: () => Promise<Value>): Promise<Renewable<Value>> {
  let current = await read()
  return {
    get current() {
      return current
    },
    async renew() {
      // A file that is being replaced may be half written: the next failure reads it again.
      current = await read().catch(() => current)
    },
  }
}
