import { createInterface } from 'node:readline'
import { DiscoCommand } from '../cli/base-command.js'
import { exitOfVerdict, strictFlag } from '../cli/call/exit.js'
import { countLines, countsFlag, inRotation, requireWeights, weightsFlag } from '../cli/flags/counts.js'
import { policyKindFlag } from '../cli/flags/policy.js'
import { markInReport } from '../cli/terminal/visible.js'
import { type VerdictDoc, verdictDoc } from '../cli/verdict/document.js'
import { renderVerdictReport } from '../cli/verdict/table.js'
import { isNamedFile } from '../domain/file-source.js'
import { seeded } from '../domain/rng.js'
import { listPolicies } from '../policies/index.js'
import { weightedRandom } from '../policies/weighted-random.js'
import { ShareLedger } from '../stats/share-ledger.js'
import { judge } from '../stats/verdict.js'

export default class Verdict extends DiscoCommand {
  static override readonly readsContexts = false
  static override summary = 'Judge whether given counts follow the weights'
  static override description =
    'Judges counts from a log, or from another client, as disco call judges its own calls. Without --policy, the verdict assumes that calls were assigned at random by weight, which is also true of many clients together. A deterministic policy is judged by its largest gap, so give --policy only for the calls of one client.'
  static override examples = [
    '<%= config.bin %> verdict --counts a=3,b=2,c=2,d=1,e=2 --weights a=1,b=1,c=1,d=1,e=10',
    "cut -d' ' -f1 backends.log | <%= config.bin %> verdict --counts - --weights a=1,b=3",
  ]
  static override flags = {
    counts: countsFlag({
      required: true,
      helpValue: 'a=3,b=2,…',
      description: 'calls of each endpoint; - reads one endpoint name per line from standard input',
    }),
    weights: weightsFlag({ required: true, helpValue: 'a=1,b=1,…', description: 'weight of each endpoint' }),
    policy: policyKindFlag({
      default: weightedRandom,
      description: `LB policy of the calls: ${listPolicies()}`,
    }),
    strict: strictFlag,
  }

  async run(): Promise<VerdictDoc> {
    const { flags } = await this.parse(Verdict)
    const { policy, weights } = flags
    const counts = isNamedFile(flags.counts)
      ? await countLines(createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }))
      : flags.counts
    requireWeights(counts, weights)
    const ledger = new ShareLedger()
    const rotation = [...inRotation(weights)]
    ledger.rotate(new Map(rotation.map(([name, weight]) => [name, policy.weighted ? weight : 1])))
    for (const [name, times] of counts) ledger.pick(name, times)
    // Seeded, so that the same counts get the same verdict.
    const verdict = judge(ledger, policy.shares, seeded(1))
    const doc = verdictDoc(policy.name, weights, ledger.tallies(), verdict)
    process.exitCode = exitOfVerdict(verdict, flags.strict)
    return this.print(flags, doc, {
      table: (palette) => markInReport(renderVerdictReport(doc, palette)),
      lines: () => [doc],
      names: () => doc.endpoints.map(({ name }) => name),
    })
  }
}
