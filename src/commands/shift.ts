import { Flags, type Interfaces } from '@oclif/core'
import type { StepsDone } from '../agent/shift-steps.js'
import { DiscoCommand } from '../cli/base-command.js'
import { ChangeStop } from '../cli/change-stop.js'
import { confirmBulk } from '../cli/context/confirm.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { bulkFlags, placeFlags } from '../cli/flags/base.js'
import { commandLine } from '../cli/flags/connection-words.js'
import { argument, integerFlag, parsedBy, refuseIneffective } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { type NamedPart, readPart, readSelection, readSteps, stepsText } from '../cli/flags/share.js'
import { readScope } from '../cli/flags/target.js'
import { type ShiftDoc, sharesOf, shiftDoc } from '../cli/shift/document.js'
import { callCommand, checkGuard, guardFlags } from '../cli/shift/guard.js'
import { renderShift, shareText, undoCommand } from '../cli/shift/view.js'
import { count } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { splitCommand } from '../cli/words/words.js'
import { isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { percentText, WHOLE_PPM } from '../domain/share-plan.js'
import type { Registry } from '../registry/registry.js'

const GUARD_FLAGS = ['data', 'assert', 'n'] as const

export default class Shift extends DiscoCommand {
  static override summary = 'Give some endpoints a share of the traffic, all at once or in steps'
  static override description =
    'Computes the weights that give the shares, and sets them in one transaction under the leases of the endpoints. Weights within each selection, and within the rest, keep their ratio; a drained endpoint stays drained, but if all endpoints of a selection are drained, they get equal weights. With --steps, a guard may run after each step: disco call (--call), or the command after --. If the guard fails, or on Ctrl-C, the original weights are restored.'
  static override examples = [
    '<%= config.bin %> shift hello 1.2.3.4:1001=10% --dry-run',
    '<%= config.bin %> shift hello 1.2.3.4:1001=10% --yes',
    '<%= config.bin %> shift hello version=2.0.0=5% --yes',
    '<%= config.bin %> shift hello --undo',
    '<%= config.bin %> shift hello version=2.0.0 --steps 5%,50% --every 1m --call SayHello',
    '<%= config.bin %> shift hello version=2.0.0 --steps 5%,50% --yes -- ./check.sh',
  ]
  static override usage =
    '<%= command.id %> SERVICE SELECTION=SHARE... | SERVICE SELECTION --steps SHARE,... [-- CMD] | SERVICE --undo'
  static override args = {
    words: argument({
      multiple: true,
      description:
        'a service; then selections with their shares, version=2.0.0=5% or ADDR=10%: the others get the rest',
    }),
  }
  static override flags = {
    steps: Flags.custom<readonly number[]>({ parse: parsedBy(readSteps) })({
      helpValue: '5%,25%,100%',
      description: 'shares of the selection, one after the other',
    }),
    every: waitFlag({
      default: 60_000,
      description: 'how long to wait after a step, before its guard and the next step',
    }),
    ...guardFlags,
    'guard-timeout': waitFlag({ default: 300_000, description: 'limit of each guard' }),
    undo: Flags.boolean({ description: "restore the weights from before the last shift, by etcd's history" }),
    rev: integerFlag({
      min: 1,
      helpValue: 'REV',
      description: 'with --undo: restore the weights of this revision',
    }),
    ...placeFlags,
    ...bulkFlags,
  }

  async run(): Promise<ShiftDoc> {
    const { own, command } = splitCommand(this.argv)
    this.argv = own
    const { args, flags, metadata } = await this.parse(Shift)
    const [target, ...words] = args.words ?? []
    if (target === undefined) throw missing()
    this.refuseIneffectiveFlags({ flags, metadata }, words, command)
    const scope = await readScope({
      command: 'shift',
      target,
      flags: {},
      place: (layout) => this.place(flags, layout),
    })
    const { service } = scope
    if (!isUnfiltered(scope.filter)) {
      throw new DiscoError(
        'USAGE',
        `A share is a part of the traffic of a whole service, but "${target}" selects some of its endpoints`,
        {
          suggestions: [`Put the selection after the service: disco shift ${service} version=2.0.0=5%`],
        },
      )
    }
    const place = { ...flags, ...scope.place }
    if (flags.steps) {
      const registry = await this.openRegistry(place)
      return await this.step(registry, service, words, flags.steps, command, flags)
    }
    using _stop = this.stopOfChange()
    const registry = await this.openRegistry(place)
    if (flags.undo) return await this.undo(registry, service, flags)
    const parts = await Promise.all(words.map(readPart))
    return await this.shift(registry, service, parts, flags)
  }

  private async shift(
    registry: Registry,
    service: string,
    parts: readonly NamedPart[],
    flags: BaseFlags & ShiftFlags,
  ): Promise<ShiftDoc> {
    const { shiftShares } = await import('../registry/shift/shift.js')
    const dryRun = flags['dry-run']
    const shares = parts.map(({ selection, sharePpm }) => `${selection} to ${percentText(sharePpm)}`)
    // Planned before the confirmation: a shift that cannot be made is refused without a question.
    const plan = await shiftShares(registry, service, parts, { dryRun: true })
    if (!dryRun && plan.changes.some(({ from, to }) => from !== to)) {
      await this.ask(`shift ${service}: ${shares.join(', ')}`, flags)
    }
    const shifted = dryRun ? plan : await shiftShares(registry, service, parts)
    const doc = shiftDoc(service, shifted, {
      end: dryRun ? 'planned' : 'done',
      parts,
      dryRun,
      beforeRev: shifted.before.revision,
    })
    return this.show(doc, flags)
  }

  private async undo(registry: Registry, service: string, flags: BaseFlags & ShiftFlags): Promise<ShiftDoc> {
    const { undoShift } = await import('../registry/shift/undo.js')
    const plan = await undoShift(registry, service, { to: flags.rev, dryRun: true })
    const dryRun = flags['dry-run']
    if (!dryRun && plan.changes.some(({ from, to }) => from !== to)) {
      await this.ask(`restore the weights of ${service} from rev ${plan.restored}`, flags)
    }
    const again = plan.shiftedAt === null ? { to: plan.restored } : { last: plan.shiftedAt }
    const undone = dryRun ? plan : await undoShift(registry, service, again)
    const { leftOut } = dryRun ? plan : undone
    const doc = shiftDoc(service, undone, {
      end: dryRun ? 'planned' : 'undone',
      beforeRev: plan.restored,
      leftOut,
      dryRun,
    })
    return this.show(doc, flags)
  }

  private async step(
    registry: Registry,
    service: string,
    [word = '']: readonly string[],
    steps: readonly number[],
    command: readonly string[],
    flags: BaseFlags & ShiftFlags,
  ): Promise<ShiftDoc> {
    const { shiftShares } = await import('../registry/shift/shift.js')
    const { selection, filter } = await readSelection(word)
    await checkGuard(command, flags)
    const part = (sharePpm: number) => ({ selection, filter, sharePpm })
    const last = part(steps.at(-1) ?? WHOLE_PPM)
    // Refuses the shift before the first step if one of the steps cannot be made.
    for (const sharePpm of steps) await shiftShares(registry, service, [part(sharePpm)], { dryRun: true })
    const plan = await shiftShares(registry, service, [last], { dryRun: true })
    if (flags['dry-run']) {
      const doc = shiftDoc(service, plan, {
        end: 'planned',
        parts: [last],
        beforeRev: plan.revision,
        dryRun: true,
        steps: steps.map(() => ({ shifted: plan, guard: null })),
        sharesPpm: steps,
      })
      return this.show(doc, flags)
    }
    await this.ask(
      `shift ${service}: ${selection} to ${stepsText(steps)}, every ${flags.every / 1000}s`,
      flags,
    )
    const done = await this.runSteps(registry, { service, filter, steps, command, flags })
    // If no step was made, nothing was changed.
    const final = done.back ?? done.steps.at(-1)?.shifted ?? { ...plan, changes: [] }
    const first = done.steps[0]?.shifted.before.revision ?? plan.revision
    const doc = shiftDoc(service, final, {
      end: done.end === 'guard failed' ? 'back' : done.end,
      parts: done.back ? [] : [last],
      beforeRev: first,
      steps: done.steps,
      sharesPpm: steps,
      leftOut: done.back?.leftOut ?? [],
      insteadOfZero: done.back?.insteadOfZero ?? null,
    })
    process.exitCode = { done: 0, 'guard failed': 8, interrupted: 130 }[done.end]
    return this.show(doc, flags)
  }

  private async runSteps(
    registry: Registry,
    { service, filter, steps, command, flags }: RunSteps,
  ): Promise<StepsDone> {
    const { shiftInSteps } = await import('../agent/shift-steps.js')
    const { runGuard } = await import('../agent/processes/guard.js')
    const { green, yellow } = this.palette(flags, process.stderr)
    const guardCommand = flags.call === undefined ? command : callCommand(service, flags.call, flags)
    const guard =
      guardCommand.length === 0
        ? null
        : (signal: AbortSignal, killNow: AbortSignal) =>
            runGuard(guardCommand, { DISCO_SERVICE: service }, flags['guard-timeout'], signal, killNow)
    using stop = new ChangeStop((line) => this.remark(line))
    return await shiftInSteps(
      registry,
      { service, filter, sharesPpm: steps, everyMs: flags.every, guard },
      {
        onStep: (step, { revision, before, changes }) => {
          if (step === 0) {
            const undo = undoCommand(service, String(before.revision), commandLine(flags))
            this.remark(
              `→ weights before the shift: rev ${before.revision}. Undo all steps: ${visible(undo)}`,
            )
          }
          const share = shareText(sharesOf(filter, changes).to)
          const written = changes.filter(({ from, to }) => from !== to).length
          this.remark(
            `${green('✓')} step ${step + 1} of ${steps.length}: ${share} (rev ${revision}, ${count(written, 'weight')} set)`,
          )
        },
        onGuard: (_, { ok, text }) => {
          if (ok) this.remark(`${green('✓')} guard: ${text}`)
          else this.remark(`${yellow('!')} guard: ${visible(text)}`)
        },
        onBack: (why) => this.remark(`${yellow('!')} going back: ${visible(why)}`),
      },
      stop,
    )
  }

  private async ask(change: string, flags: BaseFlags & ShiftFlags): Promise<void> {
    if (!flags.yes) await confirmBulk(change, this.productionLabel(flags))
  }

  private show(doc: ShiftDoc, flags: BaseFlags): ShiftDoc {
    const mark = this.palette(flags, process.stderr).yellow('!')
    for (const { addr, weight } of doc.leftOut)
      this.remark(
        `${mark} ${visible(addr)} keeps weight ${weight}: it was registered, or another client set its weight, after rev ${doc.beforeRev}`,
      )
    for (const hint of doc.hints) this.remark(`${mark} ${hint}`)
    return this.print(flags, doc, {
      table: (palette) => renderShift(doc, palette, commandLine(flags)),
      lines: () => [doc],
      names: () => doc.changes.flatMap(({ addr, from, to }) => (from === to ? [] : [addr])),
    })
  }

  /** @throws DiscoError USAGE */
  private refuseIneffectiveFlags(
    parsed: Parameters<typeof refuseIneffective>[0] & { readonly flags: ShiftFlags },
    words: readonly string[],
    command: readonly string[],
  ): void {
    const { flags } = parsed
    if (flags.undo) {
      refuseIneffective(parsed, ['steps', 'every', 'call', 'guard-timeout', ...GUARD_FLAGS], 'with --undo')
      if (words.length > 0) throw new DiscoError('USAGE', `--undo takes only a service, not "${words[0]}"`)
    } else {
      refuseIneffective(parsed, ['rev'], 'without --undo')
      if (words.length === 0) throw missing()
    }
    if (!flags.steps)
      refuseIneffective(parsed, ['every', 'call', 'guard-timeout', ...GUARD_FLAGS], 'without --steps')
    if (flags.call === undefined) refuseIneffective(parsed, GUARD_FLAGS, 'without --call')
    if (!flags.steps && command.length > 0)
      throw new DiscoError('USAGE', 'A command after -- is a guard: it needs --steps')
    if (flags.call !== undefined && command.length > 0)
      throw new DiscoError('USAGE', 'The guard is either --call or a command after --')
    const [word = '', more] = words
    if (flags.steps && (more !== undefined || /=[\d.]+%$/.test(word))) {
      throw new DiscoError('USAGE', '--steps takes one selection without a share: the steps are its shares', {
        suggestions: ['Such as: disco shift hello version=2.0.0 --steps 5%,25%,100%'],
      })
    }
  }
}

type ShiftFlags = Interfaces.InferredFlags<typeof Shift.flags>

interface RunSteps {
  readonly service: string
  readonly filter: NamedPart['filter']
  readonly steps: readonly number[]
  readonly command: readonly string[]
  readonly flags: BaseFlags & ShiftFlags
}

function missing(): DiscoError {
  return new DiscoError('USAGE', 'disco shift needs a service, and a selection or --undo', {
    suggestions: ['Such as: disco shift hello version=2.0.0=5%', 'To go back: disco shift hello --undo'],
  })
}
