import { parseArgs } from 'node:util'
import { growthBytes, mean } from '../heap.js'
import { soakProxy } from './soak.js'

/** `npm run soak:proxy -- [--minutes N] [--seed S]`: prints its figures, and exits with 1 if it found a problem. */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string' } },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Date.now() % 1_000_000)

/**
 * Fraction of the samples to skip: modules that load late, and buffers that grow to their final size, are not leaks.
 */
const WARM_UP_FRACTION = 0.2
/** Growth of a heap that is stable: the outstanding calls differ from sample to sample. */
const GROWTH_LIMIT_BYTES = 4_000_000

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1)

console.log(`soak of ${minutes} min, seed ${seed}: npm run soak:proxy -- --minutes ${minutes} --seed ${seed}`)
const { disturbances, done, lostAtKilled, replays, memory, problems } = await soakProxy(seed, minutes)
const warm = memory.slice(Math.floor(memory.length * WARM_UP_FRACTION))
const heap = warm.map(({ heapBytes }) => heapBytes)
const growth = growthBytes(warm)
const every = Math.ceil(memory.length / 20)
const series = memory.filter((_, index) => index % every === 0)

console.log(`disturbances   ${[...disturbances].map(([name, count]) => `${name} ${count}`).join(', ')}`)
console.log(
  `calls          ${Object.entries(done)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')}`,
)
console.log(`lost           ${lostAtKilled}, each at a killed server; ${replays} replays`)
console.log(
  `heap after gc  mean ${megabytes(mean(heap))} MB, last ${megabytes(heap.at(-1) ?? 0)} MB, ` +
    `growth ${megabytes(growth)} MB over ${warm.length} samples`,
)
console.log(`heap in MB     ${series.map(({ heapBytes }) => megabytes(heapBytes)).join(' ')}`)
console.log(`RSS in MB      ${series.map(({ rssBytes }) => megabytes(rssBytes)).join(' ')}`)
const all = growth > GROWTH_LIMIT_BYTES ? [...problems, `the heap grew by ${megabytes(growth)} MB`] : problems
for (const problem of all) console.log(`PROBLEM        ${problem}`)
console.log(all.length === 0 ? 'no call failed without a reason, and memory is flat' : 'FAILED')
process.exitCode = all.length === 0 ? 0 : 1
