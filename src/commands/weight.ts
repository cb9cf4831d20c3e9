import { Flags, type Interfaces } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { type Choice, choicesOf, refuseEmptyVersion } from '../cli/change/choice.js'
import { type WeightDoc, type WeightsDoc, weightDoc } from '../cli/change/document.js'
import { isAddress, refuseSwapped } from '../cli/flags/arguments.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { bulkFlags, placeFlags, versionFlag } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { changeFilterFlags, readScope, type Scope } from '../cli/flags/target.js'
import { weightChangeFlag, weightChangeFrom } from '../cli/flags/weight.js'
import { percent } from '../cli/terminal/units.js'
import { markInReport, visible } from '../cli/terminal/visible.js'
import { isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { changeText, type WeightChange } from '../domain/weight.js'
import type { Registry } from '../registry/registry.js'

const WEIGHT = /^[+\u2212]?\d+%?$/

const EXAMPLE = 'disco weight hello 1.2.3.4:1001 5'

export default class Weight extends DiscoCommand {
  static override summary = "Set an endpoint's weight while it is registered"
  static override description =
    'The lease is kept and no concurrent change is lost. 0 drains the endpoint. --all does not change drained endpoints or unreadable values; setting the weight of one endpoint also fixes a value whose weight cannot be read. Warns of clients that are known to ignore a new weight. A change of several endpoints needs a confirmation, or --yes without a terminal; --all needs none outside a production context.'
  static override examples = [
    '<%= config.bin %> weight hello 1.2.3.4:1001 5',
    '<%= config.bin %> weight hello 1.2.3.4:1001 50%',
    '<%= config.bin %> weight hello --all 1',
    '<%= config.bin %> weight hello -l version=2.0.0 5 --yes',
    '<%= config.bin %> weight --host 10.0.0.5 0 --dry-run',
  ]
  static override usage =
    '<%= command.id %> TARGET ADDR... WEIGHT | TARGET -l SELECTOR WEIGHT | --host HOST WEIGHT | TARGET --all WEIGHT'
  static override args = {
    target: argument({
      multiple: true,
      description:
        'a service, or etcd:///SERVICE, etcd://VERSION/SERVICE; addresses of its endpoints, or their etcd keys; a weight: 5, +2, -1 or 50%',
    }),
  }
  static override flags = {
    all: weightChangeFlag({ description: 'the weight of every endpoint of the service' }),
    drained: Flags.boolean({ description: 'with --all, -l or --host: include endpoints at weight 0' }),
    ...changeFilterFlags,
    version: versionFlag,
    ...placeFlags,
    ...bulkFlags,
    force: Flags.boolean({
      description: 'set it even if that drains the other endpoints or turns the weights off',
    }),
  }

  async run(): Promise<WeightDoc | WeightsDoc> {
    this.argv = this.argv.map(shieldMinus)
    const { args, flags } = await this.parse(Weight)
    const { all } = flags
    const { target, addrs, weight } = readParts(args.target ?? [], flags)
    const change = all ?? (weight === undefined ? null : weightChangeFrom(weight, 'WEIGHT'))
    if (change === null || (target === undefined && flags.host === undefined && !flags.selector))
      throw missing()
    const scope = await readScope({
      command: 'weight',
      empty: 'quoted',
      target,
      addrs,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    const { service, filter } = scope
    const isOfAll = service !== undefined && isUnfiltered(filter)
    // A URI with conditions selects endpoints. A URI without conditions is a whole service, which needs --all.
    if (isOfAll && all === undefined) throw missing()
    if (!isOfAll && all !== undefined) throw notOfAll('leave the selection out')
    if (isOfAll) refuseEmptyVersion(flags.version)
    if (flags.drained && addrs.length > 0) {
      throw new DiscoError('USAGE', '--drained has no effect on an endpoint that is named')
    }
    using _stop = this.stopOfChange()
    const registry = await this.openScope(flags, scope)
    if (isOfAll && !flags['dry-run'])
      await this.confirmChange(flags, `weight ${service} --all ${changeText(change)}`)
    const choices = isOfAll
      ? [{ selection: { service, addr: null, version: flags.version } }]
      : await this.chosen(registry, scope, change, flags)
    const options = { force: flags.force, drained: flags.drained, dryRun: flags['dry-run'] }
    if (choices.length > 1) {
      // Refuses a change of several services before any of them is changed.
      for (const { selection } of choices)
        await registry.setWeight(selection, change, { ...options, dryRun: true })
    }
    const docs: WeightDoc[] = []
    for (const { selection } of choices) {
      const changed = await registry.setWeight(selection, change, options).catch((error: unknown) => {
        const tick = this.palette(flags, process.stderr).green('✓')
        for (const one of docs) for (const done of one.changes) this.remark(describe(one, done, tick))
        throw error
      })
      docs.push(weightDoc(selection.service, changed, options))
    }
    return this.show(docs, service, flags)
  }

  private async chosen(
    registry: Registry,
    scope: Scope<string | undefined>,
    change: WeightChange,
    flags: BaseFlags & Interfaces.InferredFlags<typeof Weight.flags>,
  ): Promise<Choice[]> {
    const choices = await choicesOf(registry, scope, flags.version)
    const [only] = choices
    if (only?.endpoints === null) {
      const { service, addr } = only.selection
      if (!flags['dry-run'])
        await this.confirmChange(flags, `weight ${service} ${addr} ${changeText(change)}`)
    } else await this.confirmChoices(flags, `set weight ${changeText(change)} of`, choices)
    return choices
  }

  private show(
    docs: readonly WeightDoc[],
    service: string | undefined,
    flags: BaseFlags,
  ): WeightDoc | WeightsDoc {
    const mark = this.palette(flags, process.stderr).yellow('!')
    for (const { addr, text } of docs.flatMap((doc) => doc.leftOut)) {
      this.remark(`${mark} ${visible(addr)} left as it is: ${visible(text)}`)
    }
    const all = docs.flatMap((doc) => doc.changes)
    const hints = new Set(all.flatMap((changed) => changed.hints.map(({ text }) => text)))
    for (const hint of hints) this.remark(`${mark} ${hint}`)
    const [first] = docs
    const doc: WeightDoc | WeightsDoc =
      service !== undefined && first ? first : { schema: 'disco.weights/v1', services: docs }
    return this.print(flags, doc, {
      table: (palette) => {
        const tick = palette.green('✓')
        const lines = docs.flatMap((one) => one.changes.map((changed) => describe(one, changed, tick)))
        return markInReport(lines.join('\n'))
      },
      lines: () =>
        docs.flatMap(({ service, rev, dryRun, changes }) =>
          changes.map((changed) => ({ schema: 'disco.weight-change/v1', service, rev, dryRun, ...changed })),
        ),
      names: () => all.map((changed) => changed.addr),
    })
  }
}

interface Parts {
  readonly target: string | undefined
  readonly addrs: readonly string[]
  readonly weight: string | undefined
}

/**
 * Splits the arguments into service, addresses and weight. With a selection, or more than three arguments, the last one is
 * the weight.
 *
 * @throws DiscoError USAGE
 */
function readParts(
  words: readonly string[],
  { all, drained, selector, host }: Partial<Interfaces.InferredFlags<typeof Weight.flags>>,
): Parts {
  const [target = '', addr, weight] = words
  const isSelection = selector !== undefined || host !== undefined || /^etcd:/.test(target)
  if (all !== undefined && addr !== undefined) throw notOfAll('leave the address out')
  if (drained && all === undefined && !isSelection) {
    throw new DiscoError('USAGE', '--drained has no effect without --all, -l or --host')
  }
  if (!isSelection && words.length <= 3) {
    if (words.length > 1) refuseOtherOrder({ service: target, addr, weight })
    return { target: words[0], addrs: addr === undefined ? [] : [addr], weight }
  }
  const last = words.at(-1)
  const hasWeight = all === undefined && last !== undefined && WEIGHT.test(last)
  const [first, ...addrs] = hasWeight ? words.slice(0, -1) : words
  return { target: first, addrs, weight: hasWeight ? last : undefined }
}

/** Writes `-1` with a typographic minus, which the weight grammar accepts. The flag parser would read `-1` as a flag. */
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
    if (isAddress(service) && WEIGHT.test(addr)) {
      throw new DiscoError('USAGE', `The service of ${service} is missing`, {
        suggestions: [`Try: disco weight SERVICE ${service} ${addr.replace('\u2212', '-')}`],
      })
    }
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

function notOfAll(remedy: string): DiscoError {
  return new DiscoError('USAGE', `--all means every endpoint; ${remedy}`)
}

function missing(): DiscoError {
  return new DiscoError('USAGE', 'Missing arguments: an address and a weight, or --all and a weight', {
    suggestions: [`Example: ${EXAMPLE}`, 'Several: -l SELECTOR or --host HOST, and a weight'],
  })
}

function describe(
  { service, rev, dryRun }: WeightDoc,
  changed: WeightDoc['changes'][number],
  tick: string,
): string {
  const { addr, from, to, written, lease, share } = changed
  const name = `${tick} ${visible(service)} ${visible(addr)}`
  if (dryRun) {
    const shares = `share ${percent(share.from)} → ${percent(share.to)}`
    return `${visible(service)} ${visible(addr)} would get weight ${from ?? 'unreadable'} → ${to}, ${shares}`
  }
  if (!written) return `${name} already has weight ${to}; not written (share ${percent(share.to)})`
  const kept = lease === null ? 'no lease' : 'lease kept'
  return [
    `${name} weight ${from ?? 'unreadable'} → ${to} (rev ${rev}, ${kept})`,
    `  share ${percent(share.from)} → ${percent(share.to)}`,
  ].join('\n')
}
