import { Flags } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { type WeightDoc, weightDoc } from '../cli/change/document.js'
import { completeAddressOrKey, isAddress, refuseSwapped, requireServiceName } from '../cli/flags/arguments.js'
import { changeFlags, placeFlags, versionFlag } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { weightChangeFlag, weightChangeOf } from '../cli/flags/weight.js'
import { markInReport } from '../cli/terminal/look-alikes.js'
import { percent } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { DiscoError } from '../domain/errors.js'
import { changeText } from '../domain/weight.js'

const WEIGHT = /^[+\u2212]?\d+%?$/

const EXAMPLE = 'disco weight hello 1.2.3.4:1001 5'

export default class Weight extends DiscoCommand {
  static override summary = "Set an endpoint's weight while it is registered"
  static override description =
    'The lease is kept and no concurrent change is lost. 0 drains the endpoint. --all leaves drained endpoints and values that cannot be read as they are; setting the weight of one endpoint also mends a value whose weight cannot be read. Names clients that are known to ignore a new weight.'
  static override examples = [
    '<%= config.bin %> weight hello 1.2.3.4:1001 5',
    '<%= config.bin %> weight hello 1.2.3.4:1001 50%',
    '<%= config.bin %> weight hello --all 1',
  ]
  static override args = {
    service: argument({ required: true, description: 'the service' }),
    addr: argument({ description: 'address of the endpoint, or its etcd key' }),
    weight: argument({ description: '5, +2, -1 or 50%' }),
  }
  static override flags = {
    all: weightChangeFlag({ description: 'the weight of every endpoint of the service' }),
    drained: Flags.boolean({ description: 'with --all: include endpoints at weight 0' }),
    version: versionFlag,
    ...placeFlags,
    ...changeFlags,
    force: Flags.boolean({
      description: 'set it even if that drains the other endpoints or turns the weights off',
    }),
  }

  async run(): Promise<WeightDoc> {
    this.argv = this.argv.map(shieldMinus)
    const { args, flags } = await this.parse(Weight)
    refuseOtherOrder(args)
    const service = requireServiceName(args.service, this.place(flags).layout)
    const { all } = flags
    if (all !== undefined && args.addr !== undefined) {
      throw new DiscoError('USAGE', '--all means every endpoint; leave the address out')
    }
    if (flags.drained && all === undefined) {
      throw new DiscoError('USAGE', '--drained has no effect without --all')
    }
    const change = all ?? (args.weight === undefined ? null : weightChangeOf(args.weight, 'WEIGHT'))
    if (change === null) throw missing()
    const selection = {
      service,
      addr: args.addr === undefined ? null : await completeAddressOrKey(args.addr, EXAMPLE),
      version: flags.version,
    }
    await this.confirmChange(flags, `weight ${service} ${selection.addr ?? '--all'} ${changeText(change)}`)
    const registry = await this.openRegistry(flags)
    const doc = weightDoc(service, await registry.setWeight(selection, change, flags))
    const mark = this.palette(flags, process.stderr).yellow('!')
    for (const { addr, text } of doc.leftOut) {
      this.remark(`${mark} ${visible(addr)} left as it is: ${visible(text)}`)
    }
    const hints = new Set(doc.changes.flatMap((changed) => changed.hints.map(({ text }) => text)))
    for (const hint of hints) this.remark(`${mark} ${hint}`)
    return this.print(flags, doc, {
      table: (palette) =>
        markInReport(doc.changes.map((changed) => describe(doc, changed, palette.green('✓'))).join('\n')),
      lines: () =>
        doc.changes.map((changed) => ({
          schema: 'disco.weight-change/v1',
          service,
          rev: doc.rev,
          ...changed,
        })),
      names: () => doc.changes.map((changed) => changed.addr),
    })
  }
}

/** The flag parser would read `-1` as a flag: the weight grammar accepts the typographic minus as well. */
function shieldMinus(word: string): string {
  return /^-\d+%?$/.test(word) ? word.replace('-', '\u2212') : word
}

/** Refuses arguments in an order other than service, address, weight. @throws DiscoError USAGE */
function refuseOtherOrder(args: {
  service: string
  addr?: string | undefined
  weight?: string | undefined
}): void {
  const { service, addr = '', weight } = args
  if (weight === undefined) {
    refuseSwapped(service, args.addr, ['weight', addr, service])
    return
  }
  const words = [service, addr, weight]
  const atAddress = words.findIndex(isAddress)
  const atWeight = words.findIndex((word) => WEIGHT.test(word))
  const atService = words.findIndex((word) => !isAddress(word) && !WEIGHT.test(word))
  const isPlain = Math.min(atAddress, atWeight, atService) >= 0
  if (!isPlain || (atService < atAddress && atAddress < atWeight)) return
  const what =
    atService > atAddress ? 'the service comes before the address' : 'the address comes before the weight'
  const ordered = [atService, atAddress, atWeight].map((at) => words[at]?.replace('\u2212', '-'))
  throw new DiscoError('USAGE', `The arguments are swapped: ${what}`, {
    suggestions: [`Try: disco weight ${ordered.join(' ')}`],
  })
}

function missing(): DiscoError {
  return new DiscoError('USAGE', 'Missing arguments: an address and a weight, or --all and a weight', {
    suggestions: [`Example: ${EXAMPLE}`],
  })
}

function describe({ service, rev }: WeightDoc, changed: WeightDoc['changes'][number], tick: string): string {
  const { addr, from, to, written, lease, share } = changed
  const name = `${tick} ${visible(service)} ${visible(addr)}`
  if (!written) return `${name} already has weight ${to}; not written (share ${percent(share.to)})`
  const kept = lease === null ? 'no lease' : 'lease kept'
  return [
    `${name} weight ${from ?? 'unreadable'} → ${to} (rev ${rev}, ${kept})`,
    `  share ${percent(share.from)} → ${percent(share.to)}`,
  ].join('\n')
}
