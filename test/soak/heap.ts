import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Memory in use after a garbage collection, at a time. */
export interface HeapSample {
  readonly atMs: number
  readonly heapBytes: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Collects garbage and takes a sample. @param atMs time since the start in milliseconds */
export function sampleHeap(atMs: number): HeapSample {
  collect()
  return { atMs, heapBytes: process.memoryUsage().heapUsed }
}

/** Growth of the heap in bytes from the first sample to the last, along the fitted straight line. */
export function growthBytes(samples: readonly HeapSample[]): number {
  const first = samples.at(0)
  const last = samples.at(-1)
  if (!first || !last || samples.length < 3) return 0
  const meanMs = mean(samples.map(({ atMs }) => atMs))
  const meanBytes = mean(samples.map(({ heapBytes }) => heapBytes))
  let covariance = 0
  let variance = 0
  for (const { atMs, heapBytes } of samples) {
    covariance += (atMs - meanMs) * (heapBytes - meanBytes)
    variance += (atMs - meanMs) ** 2
  }
  return (covariance / variance) * (last.atMs - first.atMs)
}

export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
