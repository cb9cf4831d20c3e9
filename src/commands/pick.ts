import { Flags } from '@oclif/core'
import type { SimulationPlan } from '../call/pick-simulation.js'
import { integerFlag, parsedBy, refuseEmpty } from '../cli/flags/custom.js'
import { policyFlags, policyOf } from '../cli/flags/policy.js'
import { dialledTarget, readDialled } from '../cli/flags/target.js'
import { type PickDoc, pickDoc } from '../cli/pick/document.js'
import { renderSimulation } from '../cli/pick/table.js'
import { ResolvingCommand } from '../cli/resolving-command.js'
import { markInReport } from '../cli/terminal/visible.js'
import { parseAddress } from '../domain/address.js'
import { DiscoError } from '../domain/errors.js'
import type { Resolution } from '../grpc/resolver/resolve.js'

export default class Pick extends ResolvingCommand {
  static override summary = 'Simulate the picks of an LB policy on a service'
  static override description =
    'Runs the picker that programs use over the currently registered endpoints, without dialling them: every endpoint counts as READY and idle.'
  static override examples = [
    '<%= config.bin %> pick hello --n 1400',
    '<%= config.bin %> pick hello --policy ring_hash --without 127.0.0.1:1001',
    "<%= config.bin %> pick 'etcd:///hello?zone=b' --policy weighted_random --seed 7",
  ]
  static override args = { target: dialledTarget }
  static override flags = {
    n: integerFlag({ char: 'n', default: 1_000, min: 1, max: 10_000_000, description: 'number of picks' }),
    seed: integerFlag({ default: 1, description: 'seed of the random draws' }),
    without: Flags.string({
      parse: parsedBy(readWithout),
      helpValue: 'ADDR',
      description: 'count the keys that move when this endpoint leaves (ring_hash, source_hash)',
    }),
    ...policyFlags,
    ...ResolvingCommand.flags,
  }

  async run(): Promise<PickDoc> {
    const { args, flags, metadata } = await this.parse(Pick)
    const plan = { policy: policyOf(flags), picks: flags.n, seed: flags.seed }
    requireKeys(plan, flags.without)
    const place = (layout: string) => this.place(flags, layout)
    const resolution = await this.resolve(await readDialled(args.target, { flags, metadata }, place), flags)
    this.remarkUnusable(resolution, flags)
    const { simulatePicks } = await import('../call/pick-simulation.js')
    const simulation = simulatePicks(resolution.endpoints, plan)
    const doc = pickDoc(resolution, plan, simulation, await movesOf(resolution, plan, flags.without))
    return this.print(flags, doc, {
      table: (palette) => markInReport(renderSimulation(doc, palette)),
      lines: () =>
        doc.endpoints.map((picked) => ({ schema: 'disco.picked/v1', policy: doc.policy, ...picked })),
      names: () => doc.endpoints.filter(({ picks }) => picks > 0).map(({ addr }) => addr),
    })
  }
}

/** @throws DiscoError USAGE for an empty text, and for a URL, which is not the address of an endpoint */
function readWithout(text: string, flag: string): string {
  refuseEmpty(text, flag)
  if (/^https?:\/\//i.test(text)) parseAddress(text, 'disco pick hello --without 127.0.0.1:1001')
  return text
}

/** Only a policy that chooses by keys can move keys. @throws DiscoError USAGE */
function requireKeys({ policy }: SimulationPlan, without: string | undefined): void {
  if (without === undefined || policy.reads.includes('hashKey')) return
  throw new DiscoError('USAGE', `--without has no effect with policy ${policy.name}`, {
    suggestions: ['It is a flag of --policy ring_hash or source_hash'],
  })
}

async function movesOf(
  { endpoints }: Resolution,
  plan: SimulationPlan,
  without: string | undefined,
): Promise<PickDoc['moves']> {
  if (without === undefined) return null
  const { movedKeys } = await import('../call/pick-simulation.js')
  const leavers = endpoints.filter(({ registration }) =>
    [registration.addr, registration.key, registration.id].includes(without),
  )
  if (leavers.length === 0) {
    throw new DiscoError('NOT_FOUND', `No endpoint ${without} to leave out`, {
      suggestions: [
        `Available: ${endpoints
          .slice(0, 5)
          .map(({ registration }) => registration.addr)
          .join(', ')}`,
      ],
    })
  }
  return { without, ...movedKeys(endpoints, new Set(leavers), plan) }
}
