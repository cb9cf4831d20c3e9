import { type Chooser, findPolicy, NO_KEYS, seeded } from '../../src/policies/index.js'
import type { Figure } from './figure.js'
import { median } from './median.js'

const SIZES = [10, 1_000, 10_000]
const ROUNDS = 9

/** A round is as many picks as take at least this long. */
const ROUND_MS = 100

const CASES: readonly { readonly name: string; readonly config?: object; readonly key?: string }[] = [
  { name: 'weighted_round_robin' },
  { name: 'round_robin' },
  { name: 'random' },
  { name: 'weighted_random' },
  { name: 'least_request' },
  { name: 'least_request', config: { choiceCount: 2 } },
  { name: 'ring_hash', key: 'a user of middling length' },
  { name: 'source_hash' },
  { name: 'pick_first' },
  { name: 'pinned', config: { to: '7' } },
]

/** Prints what a pick and a weight change cost each policy, without gRPC. */
export async function run(): Promise<void> {
  console.log('| policy | ns per pick, 10 | 1,000 | 10,000 | µs per weight change, 10 | 1,000 | 10,000 |')
  console.log('|---|---|---|---|---|---|---|')
  for (const { name, config = {}, key } of CASES) {
    const picks: number[] = []
    const changes: number[] = []
    for (const size of SIZES) {
      const calls = new Float64Array(size)
      const chooser = chooserOf(name, config, calls)
      const keys = key === undefined ? NO_KEYS : { hashKey: key, pin: null }
      picks.push(measure(chooser.recount ? call(chooser, calls) : () => chooser.choose(keys)))
      changes.push(measure(weightChange(chooser, size, keys)) / 1_000)
    }
    const parameters = Object.keys(config).length === 0 ? '' : ` ${JSON.stringify(config)}`
    const cells = [...picks.map((ns) => ns.toFixed(0)), ...changes.map((us) => us.toFixed(2))]
    console.log(`| ${name}${parameters} | ${cells.join(' | ')} |`)
  }
}

/** Nanoseconds of a pick of the weighted round robin among so many. */
export function pickCost(size: number): number {
  const chooser = chooserOf('weighted_round_robin', {}, new Float64Array(size))
  return measure(() => chooser.choose())
}

/** The cases that have aims. */
export async function figures(): Promise<Figure[]> {
  const pick = (name: string, size: number) => {
    const calls = new Float64Array(size)
    const chooser = chooserOf(name, {}, calls)
    return measure(chooser.recount ? call(chooser, calls) : () => chooser.choose())
  }
  const size = 10_000
  const ring = chooserOf('ring_hash', {}, new Float64Array(size))
  const ringChangeNs = measure(weightChange(ring, size, { hashKey: 'a user of middling length', pin: null }))
  return [
    {
      name: 'pick, weighted_round_robin, 10',
      aim: 150,
      measured: pick('weighted_round_robin', 10),
      unit: 'ns',
    },
    {
      name: 'pick, weighted_round_robin, 10,000',
      aim: 600,
      measured: pick('weighted_round_robin', size),
      unit: 'ns',
    },
    { name: 'pick, least_request, 10,000', aim: 1_000, measured: pick('least_request', size), unit: 'ns' },
    { name: 'weight change, ring_hash, 10,000', aim: 1_000, measured: ringChangeNs / 1_000, unit: 'µs' },
  ]
}

function chooserOf(name: string, config: object, calls: Float64Array): Chooser<number> {
  const random = seeded(1)
  const chooser = findPolicy(name)
    .configure(config)
    .create<number>({
      random,
      clientKey: '10.0.0.1',
      id: (candidate) => `/hello/1.0.0/10.0.0.${candidate}:80`,
      names: (candidate) => [String(candidate)],
      rank: (candidate) => candidate,
      outstanding: (candidate) => calls[candidate] ?? 0,
    })
  for (let candidate = 0; candidate < calls.length; candidate++)
    chooser.join(candidate, 1 + Math.floor(random() * 100))
  return chooser
}

/** A pick whose call starts, while the oldest of 64 calls ends: the policy is notified of both. */
function call(chooser: Chooser<number>, calls: Float64Array): () => void {
  const running: (number | null)[] = Array.from({ length: 64 }, () => null)
  let at = 0
  const count = (candidate: number | null, change: number) => {
    if (candidate === null) return
    calls[candidate] = (calls[candidate] ?? 0) + change
    chooser.recount?.(candidate)
  }
  return () => {
    const chosen = chooser.choose()
    count(chosen, 1)
    count(running[at] ?? null, -1)
    running[at] = chosen
    at = (at + 1) % running.length
  }
}

/** A new weight of one candidate, and the next pick: some policies do the work then. */
function weightChange(chooser: Chooser<number>, size: number, keys: typeof NO_KEYS): () => void {
  const random = seeded(2)
  return () => {
    chooser.reweigh(Math.floor(random() * size), 1 + Math.floor(random() * 100))
    chooser.choose(keys)
  }
}

/** The median of several rounds, in nanoseconds. */
function measure(action: () => unknown): number {
  // The first time also does what was deferred: a ring of 10,000 is built, which would fill a round by itself.
  action()
  let repetitions = 1
  while (timed(action, repetitions) * repetitions < ROUND_MS * 1e6) repetitions *= 2
  return median(Array.from({ length: ROUNDS }, () => timed(action, repetitions)))
}

/** By CPU time: a machine with other work makes a pick wait, not dearer. */
function timed(action: () => unknown, repetitions: number): number {
  const before = process.cpuUsage()
  for (let at = 0; at < repetitions; at++) action()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / repetitions
}
