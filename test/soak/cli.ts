import { parseArgs } from 'node:util'
import { growthBytes, mean } from './heap.js'
import { soak } from './soak.js'

/** `npm run soak -- [--minutes N] [--seed S]`: prints its figures, and exits with 1 if it found a problem. */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Date.now() % 1_000_000)

const surprises: string[] = []
process.on('unhandledRejection', (reason) => surprises.push(`unhandled rejection: ${reason}`))
process.on('warning', (warning) => surprises.push(`warning: ${warning.message}`))

/**
 * Fraction of the samples to skip: modules that load late, and buffers that grow to their final size, are not leaks.
 */
const WARM_UP_FRACTION = 0.2
/** Growth of a heap that is stable: the outstanding work differs from sample to sample. */
const GROWTH_LIMIT_BYTES = 4_000_000

console.log(`soak of ${minutes} min, seed ${seed}: npm run soak -- --minutes ${minutes} --seed ${seed}`)
const result = await soak(seed, minutes)
const warm = result.heap.slice(Math.floor(result.heap.length * WARM_UP_FRACTION))
const growth = growthBytes(warm)
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

const { counts, registrations } = result
console.log(`faults         ${[...result.faults].map(([name, count]) => `${name} ${count}`).join(', ')}`)
console.log(`disturbances   ${result.compactions} compactions, ${result.revoked} leases revoked`)
console.log(`writes         ${result.writes}`)
console.log(
  `watch          ${counts.changes} revisions, ${counts.resync} resyncs, ${counts.stale} outages, ${counts.reset} reset`,
)
console.log(
  `registrations  ${registrations.registered}, of which ${registrations.lost} leases lost, ${registrations.again} registered again, ` +
    `${registrations.troubles} outages reported, ${registrations.recoveries} recoveries`,
)
console.log(
  `heap after gc  mean ${megabytes(mean(warm.map(({ heapBytes }) => heapBytes)))}, ` +
    `last ${megabytes(warm.at(-1)?.heapBytes ?? 0)}, growth ${megabytes(growth)} over ${warm.length} samples`,
)
const every = Math.ceil(result.heap.length / 20)
const series = result.heap.filter((_, index) => index % every === 0)
console.log(`heap in MB     ${series.map(({ heapBytes }) => (heapBytes / 1e6).toFixed(1)).join(' ')}`)
if (growth > GROWTH_LIMIT_BYTES) surprises.push(`the heap grew by ${megabytes(growth)}`)
const problems = [...result.problems, ...surprises]
for (const problem of problems) console.log(`PROBLEM        ${problem}`)
console.log(problems.length === 0 ? 'the view is that of etcd, and nothing was lost' : 'FAILED')
process.exitCode = problems.length === 0 ? 0 : 1
