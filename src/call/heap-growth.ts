import { setFlagsFromString } from 'node:v8'

/** This many connections take more memory than the rest of the process. */
const MANY_CONNECTIONS = 2_000

/** How much the heap may grow, in percent of its live size, before V8 collects. */
const GROWTH_PERCENT = 30

/**
 * Keeps a heap of thousands of connections from growing to twice its live size. Node's HTTP/2 streams survive V8's
 * quick collections, so each call leaves 12 KB that only a full collection frees. By default V8 waits until the heap
 * has doubled: 10,000 connections of 15 KB each then take 650 to 800 MB, and 490 MB with this limit.
 *
 * V8 reads the flag at the end of each full collection. Must be disposed before the process exits: the code cache that is
 * written at the exit is valid only for processes with the same flags.
 */
export class HeapGrowth implements Disposable {
  private isLimited = false

  limitFor(connections: number): void {
    if (connections < MANY_CONNECTIONS) return
    this.isLimited = true
    setGrowth(GROWTH_PERCENT)
  }

  [Symbol.dispose](): void {
    if (this.isLimited) setGrowth(V8_DECIDES)
  }
}

const V8_DECIDES = 0

function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}
