import { Flags } from '@oclif/core'
import type { DrainPlan } from '../agent/drain.js'
import { DiscoCommand } from '../cli/base-command.js'
import { type Choice, choicesOf, needsEndpoint, splitByWeight } from '../cli/change/choice.js'
import {
  type DrainDoc,
  type DrainsDoc,
  drainDocs,
  type WeightDoc,
  type WeightsDoc,
  weightDoc,
} from '../cli/change/document.js'
import { drainedLine, returnUnknownLine, undoneLines } from '../cli/change/lines.js'
import type { BaseFlags, BulkFlags } from '../cli/flags/base.js'
import { bulkFlags, placeFlags, versionFlag } from '../cli/flags/base.js'
import { refuseIneffective } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { changeFilterFlags, readScope, targetAndAddresses } from '../cli/flags/target.js'
import type { Palette } from '../cli/terminal/color.js'
import { Countdown } from '../cli/terminal/countdown.js'
import { percent } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import type { Registry } from '../registry/registry.js'
import type { WeightChanged } from '../registry/weight.js'
import type { LeftOut } from '../registry/weight-targets.js'

export default class Drain extends DiscoCommand {
  static override summary = 'Take an endpoint out of rotation: weight 0, a grace period, unregister'
  static override description =
    'At weight 0, clients send no new calls, and finish outstanding calls during the grace period; then the key is deleted. Ctrl-C during the grace period leaves the endpoint registered at weight 0; --undo restores its weight.'
  static override examples = [
    '<%= config.bin %> drain hello 1.2.3.4:1001',
    '<%= config.bin %> drain hello 1.2.3.4:1001 --grace 2m',
    '<%= config.bin %> drain hello 1.2.3.4:1001 --undo',
    '<%= config.bin %> drain hello -l version=1.0.0 --dry-run',
    '<%= config.bin %> drain --host 10.0.0.5 --yes',
  ]
  static override usage = '<%= command.id %> TARGET ADDR... | TARGET -l SELECTOR | [TARGET] --host HOST'
  static override args = { target: targetAndAddresses }
  static override flags = {
    grace: waitFlag({
      allowsZero: true,
      default: 30_000,
      description: 'time at weight 0 before the key is deleted',
    }),
    undo: Flags.boolean({ description: 'restore the weight from before the drain', exclusive: ['force'] }),
    ...changeFilterFlags,
    version: versionFlag,
    ...placeFlags,
    ...bulkFlags,
    force: Flags.boolean({
      description:
        'drain even the last endpoint with a weight, which turns the weights off; if no weight can be set, remove the key at once',
    }),
  }

  async run(): Promise<DrainDoc | DrainsDoc | WeightDoc | WeightsDoc> {
    const { args, flags, metadata } = await this.parse(Drain)
    if (flags.undo) refuseIneffective({ flags, metadata }, ['grace'], 'with --undo')
    const [target, ...addrs] = args.target ?? []
    const scope = await readScope({
      command: 'drain',
      empty: 'quoted',
      target,
      addrs,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    if (isUnfiltered(scope.filter)) throw needsEndpoint('drain', target)
    using stop = this.stopOfChange()
    const registry = await this.openScope(flags, scope)
    const chosen = await choicesOf(registry, scope, flags.version)
    // With --force, endpoints that cannot carry a weight are removed, and the others drained.
    const choices = flags.force ? chosen.flatMap(splitByWeight) : chosen
    await this.confirmChoices(flags, flags.undo ? 'restore the weight of' : 'drain', choices)
    if (flags.undo) return await this.undo(registry, choices, flags)
    return await this.drain(registry, choices, { ...flags, graceMs: flags.grace }, stop.once)
  }

  private async drain(
    registry: Registry,
    choices: readonly Choice[],
    flags: BaseFlags & BulkFlags & { force: boolean; graceMs: number },
    stop: AbortSignal,
  ): Promise<DrainDoc | DrainsDoc> {
    const { graceMs, force } = flags
    const isOne = choices.every(({ selection }) => selection.addr !== null)
    if (flags['dry-run'] || !isOne) {
      // Refuses a drain of several services before any of them is changed.
      const plans = await this.plan(registry, choices, force)
      if (flags['dry-run']) return this.showPlan(choices, plans, flags, isOne)
    }
    const { drain } = await import('../agent/drain.js')
    using countdown = new Countdown(graceMs, this.progressLine)
    const ends = await Promise.allSettled(
      choices.map(async ({ selection }) => ({
        selection,
        drained: await drain(
          registry,
          { selection, graceMs, force },
          {
            onWeightSet: (weighed) => {
              this.remarkWeighed(weighed, selection.service, flags)
              countdown.start((left) => `→ unregistering in ${left}  (Ctrl-C: stop here, at weight 0)`)
            },
            onWeightFailed: ({ message }) => {
              this.remark(`! the weight cannot be set (${visible(message)}): removing at once`)
            },
          },
          stop,
        ),
      })),
    )
    countdown.stop()
    const done = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
    for (const { drained } of done) {
      const { returnUnknown } = drained
      if (returnUnknown) this.remark(returnUnknownLine(returnUnknown, this.palette(flags, process.stderr)))
    }
    const line = (palette: Palette) =>
      done.map(({ selection, drained }) => drainedLine(selection, drained, palette)).join('\n')
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) {
      if (done.length > 0) this.remark(line(this.palette(flags, process.stderr)))
      throw failed.reason
    }
    if (done.some(({ drained }) => drained.end === 'interrupted')) process.exitCode = 130
    const docs = done.flatMap(({ selection, drained }) => drainDocs(selection.service, drained, { graceMs }))
    return this.printDrains(flags, docs, isOne, line)
  }

  /** @throws DiscoError the first refusal, after the others were printed */
  private async plan(registry: Registry, choices: readonly Choice[], force: boolean): Promise<DrainPlan[]> {
    const { planDrain } = await import('../agent/drain.js')
    const planned = await Promise.allSettled(
      choices.map(({ selection }) => planDrain(registry, { selection, force })),
    )
    const [first, ...others] = planned.flatMap((plan) =>
      plan.status === 'rejected' ? [DiscoError.from(plan.reason)] : [],
    )
    for (const { message } of others) this.remark(`✗ ${visible(message)}`)
    if (first) throw first
    return planned.flatMap((plan) => (plan.status === 'fulfilled' ? [plan.value] : []))
  }

  private printDrains(
    flags: BaseFlags,
    docs: readonly DrainDoc[],
    isOne: boolean,
    table: (palette: Palette) => string,
  ): DrainDoc | DrainsDoc {
    const [first] = docs
    const doc: DrainDoc | DrainsDoc = isOne && first ? first : { schema: 'disco.drains/v1', drains: docs }
    return this.print(flags, doc, {
      table,
      lines: () => docs,
      names: () => docs.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.addr)),
    })
  }

  private showPlan(
    choices: readonly Choice[],
    plans: readonly DrainPlan[],
    flags: BaseFlags & { graceMs: number },
    isOne: boolean,
  ): DrainDoc | DrainsDoc {
    const each = plans.map(({ revision, ...plan }, at) => {
      const service = choices[at]?.selection.service ?? ''
      const planned = { revision, end: 'planned' } as const
      if (plan.weighed === null) {
        const endpoints = plan.removed.map((endpoint) => ({ endpoint, from: endpoint.weight }))
        const docs = drainDocs(service, { ...planned, endpoints }, { graceMs: 0 })
        return { docs, change: () => 'would be unregistered at once: it cannot carry a weight' }
      }
      this.remarkLeftOut(plan.weighed.leftOut, service, flags)
      const docs = drainDocs(service, { ...planned, endpoints: plan.weighed.changes }, flags)
      const change = (from: number | null) =>
        `would be drained: weight ${from ?? 'unreadable'} → 0, unregistered after ${flags.graceMs / 1000}s`
      return { docs, change }
    })
    const table = () =>
      each
        .flatMap(({ docs, change }) =>
          docs.flatMap(({ service, endpoints }) =>
            endpoints.map(({ addr, from }) => `${visible(service)} ${visible(addr)} ${change(from)}`),
          ),
        )
        .join('\n')
    return this.printDrains(
      flags,
      each.flatMap(({ docs }) => docs),
      isOne,
      table,
    )
  }

  private remarkLeftOut(leftOut: readonly LeftOut[], service: string, flags: BaseFlags): void {
    const mark = this.palette(flags, process.stderr).yellow('!')
    for (const { endpoint, text } of leftOut) {
      this.remark(`${mark} ${visible(service)} ${visible(endpoint.addr)} left as it is: ${visible(text)}`)
    }
    if (leftOut.some(({ reason }) => reason === 'weightless'))
      this.remark('  To remove endpoints without a weight at once, add --force')
  }

  private remarkWeighed(weighed: WeightChanged, service: string, flags: BaseFlags): void {
    const palette = this.palette(flags, process.stderr)
    const doc = weightDoc(service, weighed)
    this.remarkLeftOut(weighed.leftOut, service, flags)
    for (const { addr, from, share } of doc.changes) {
      const shares = `share ${percent(share.from)} → ${percent(share.to)}`
      this.remark(
        `${palette.green('✓')} ${visible(service)} ${visible(addr)} weight ${from ?? 'unreadable'} → 0 (rev ${doc.rev}), ${shares}`,
      )
    }
    const hints = new Set(doc.changes.flatMap(({ hints }) => hints.map(({ text }) => text)))
    for (const hint of hints) this.remark(`${palette.yellow('!')} ${hint}`)
  }

  private async undo(
    registry: Registry,
    choices: readonly Choice[],
    flags: BaseFlags & BulkFlags,
  ): Promise<WeightDoc | WeightsDoc> {
    const dryRun = flags['dry-run']
    const { undoDrain } = await import('../agent/drain.js')
    const docs: WeightDoc[] = []
    const failures: DiscoError[] = []
    for (const { selection, endpoints } of choices) {
      const { service } = selection
      const keys = [...new Set((endpoints ?? []).map(({ key }) => key))]
      const each = endpoints === null ? [selection] : keys.map((addr) => ({ service, addr }))
      const undone: WeightChanged[] = []
      const leftOut: LeftOut[] = []
      for (const one of each) {
        try {
          undone.push((await undoDrain(registry, one, { dryRun })) ?? NOTHING)
        } catch (thrown) {
          const error = DiscoError.from(thrown)
          if (error.code !== 'CONFLICT') throw error
          failures.push(error)
          const ofKey = (endpoints ?? []).filter(({ key }) => key === one.addr)
          for (const endpoint of ofKey) leftOut.push({ endpoint, reason: 'drained', text: error.message })
        }
      }
      const revision = Math.max(0, ...undone.map((changed) => changed.revision))
      docs.push(
        weightDoc(
          service,
          {
            revision: revision || (await registry.list(service)).revision,
            changes: undone.flatMap(({ changes }) => changes),
            leftOut,
          },
          { dryRun },
        ),
      )
    }
    const [failed] = failures
    if (failed && docs.every(({ changes }) => changes.length === 0)) throw failed
    if (failed) process.exitCode = failed.exit
    const [first] = docs
    const isOne = choices.every(({ selection }) => selection.addr !== null)
    const doc: WeightDoc | WeightsDoc =
      isOne && first ? first : { schema: 'disco.weights/v1', services: docs }
    return this.print(flags, doc, {
      table: (palette) => docs.map((one, at) => undoneLines(one, choices[at], palette)).join('\n'),
      lines: () => docs,
      names: () => docs.flatMap(({ changes }) => changes.map(({ addr }) => addr)),
    })
  }
}

const NOTHING: WeightChanged = { revision: 0, changes: [], leftOut: [] }
