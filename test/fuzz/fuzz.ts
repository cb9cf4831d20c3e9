import { startDevRegistry } from '../../src/dev/etcd/server.js'
import { RealEtcd } from '../support/etcd.js'
import type { Message } from '../support/etcd-api.js'
import { type EtcdVersion, etcdVersion } from '../support/etcd-binary.js'
import { Comparison, type Difference } from './compare.js'
import { isComparable } from './differences.js'
import { Generator, type Known } from './generator.js'
import { Rng } from './rng.js'
import { Side } from './side.js'
import type { Step } from './steps.js'

/** Operations between two comparisons of the watch streams. They last longer than the wait for new watchers. */
const ROUND_OPERATIONS = 300

/** Watch streams per seed, each with any number of watchers. */
const STREAMS = 3

export interface FuzzResult {
  readonly seed: number
  /** Number of steps that both servers executed. */
  readonly operations: number
  readonly difference: Difference | undefined
  /** The steps up to the difference. The last step is the most likely cause. */
  readonly steps: readonly Step[]
}

/**
 * Runs the operations of a seed against a new etcd and a new dev registry, until the answers differ or all operations
 * are done.
 *
 * @param version of etcd; by default the version that the tests use
 */
export async function fuzz(seed: number, operations: number, version?: EtcdVersion): Promise<FuzzResult> {
  await using etcd = await RealEtcd.start(version === undefined ? {} : { version })
  // The etcd of the tests has an election timeout of 500 ms, which makes its shortest lease one second.
  const ours = await startDevRegistry({ host: '127.0.0.1', port: 0, minLeaseTtlSeconds: 1 })
  const sides = [new Side(etcd.endpoint), new Side(ours.endpoint)] as const
  try {
    return await compare(seed, operations, new Comparison(...sides), etcdVersion(version))
  } finally {
    for (const side of sides) side.close()
    await ours.close()
  }
}

async function compare(
  seed: number,
  operations: number,
  comparison: Comparison,
  version: string,
): Promise<FuzzResult> {
  const rng = new Rng(seed)
  const known = nothingKnown()
  const generator = new Generator(rng, known)
  const steps: Step[] = []
  while (steps.length < operations) {
    for (const whole of round(rng, generator)) {
      const part = whole.filter((step) => isComparable(version, step, known))
      steps.push(...part)
      const result = await comparison.run(part)
      if ('difference' in result)
        return { seed, operations: steps.length, difference: result.difference, steps }
      learn(known, part, result.answers)
    }
  }
  return { seed, operations: steps.length, difference: undefined, steps }
}

const settle: Step = { do: 'settle' }

/**
 * The steps of a round. Before a compaction or a change of watchers, all due events are awaited, so that their order is
 * deterministic.
 */
function* round(rng: Rng, generator: Generator): Rounds {
  yield Array.from({ length: ROUND_OPERATIONS }, () => generator.operation())
  yield [settle]
  yield [...generator.progress(STREAMS), ...(rng.chance(0.7) ? [generator.compaction()] : []), settle]
  if (rng.chance(0.1)) yield [{ do: 'closeStream', stream: rng.int(1, STREAMS) }]
  yield generator.watchers(STREAMS)
}

type Rounds = globalThis.Generator<Step[]>

/** The state of a new store. */
export function nothingKnown(): Known {
  return { revision: 1, compactRevision: -1, deletionRevision: 1, rewriteRevisions: new Set() }
}

/** Updates the known revisions from the headers of the answers, which were equal on both servers. */
export function learn(known: Known, steps: readonly Step[], answers: readonly string[]): void {
  for (const [index, step] of steps.entries()) {
    const answer = answers[index] ?? ''
    const revision = /^\{"header":\{"revision":"(\d+)"/.exec(answer)?.[1]
    known.revision = Math.max(known.revision, Number(revision ?? 0))
    if (step.do !== 'call' || revision === undefined) continue
    if (step.path === 'KV/Compact') known.compactRevision = Number(step.request.revision)
    if (step.path === 'KV/DeleteRange' && !answer.includes('"deleted":"0"'))
      known.deletionRevision = Number(revision)
    if (step.path === 'KV/Txn' && mayRewrite(step.request)) known.rewriteRevisions.add(Number(revision))
  }
}

/** Whether the transaction may delete a key and put it again. */
function mayRewrite(txn: Message): boolean {
  const text = JSON.stringify(txn)
  return text.includes('request_delete_range') && text.includes('request_put')
}
