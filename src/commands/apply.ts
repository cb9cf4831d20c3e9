import { Flags, type Interfaces } from '@oclif/core'
import { type ApplyDoc, applyDoc } from '../cli/apply/document.js'
import { holdKeys } from '../cli/apply/hold.js'
import { countsOf, renderApplied, renderPlan } from '../cli/apply/view.js'
import { DiscoCommand } from '../cli/base-command.js'
import { ChangeStop } from '../cli/change-stop.js'
import { confirmBulk } from '../cli/context/confirm.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { bulkFlags, placeFlags } from '../cli/flags/base.js'
import { fileFlag } from '../cli/flags/custom.js'
import { ttlFlag } from '../cli/flags/duration.js'
import { isForPeople } from '../cli/output/format.js'
import { readFileText } from '../cli/registry-file/input.js'
import { count } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { DiscoError } from '../domain/errors.js'
import { AUTO } from '../domain/layouts/reader.js'
import { rootPrefix } from '../domain/layouts/root.js'
import type { ApplyResult } from '../registry/apply/apply.js'
import type { ApplyPlan, ApplyRules } from '../registry/apply/plan.js'
import type { StatedKey } from '../registry/file/keys.js'
import type { RegistryFile } from '../registry/file/read.js'
import type { Registry } from '../registry/registry.js'

export default class Apply extends DiscoCommand {
  static override summary = 'Make a registry match a file: plan, confirm, write'
  static override description =
    'Compares a file of disco export with etcd at one revision, prints the difference (+ added, ~ changed, - removed), asks, and writes in transactions that etcd refuses if a key was changed since. A key that another client has changed is not written, but reported. To finish an interrupted apply, repeat it. Existing keys keep their leases; endpoints that had a lease are added only with --ttl or --hold.'
  static override examples = [
    '<%= config.bin %> apply -f registry.yaml --dry-run',
    '<%= config.bin %> apply -f registry.yaml --ttl 60 --yes',
    '<%= config.bin %> export hello | <%= config.bin %> apply -C other -f - --hold --yes',
    '<%= config.bin %> apply -f registry.yaml --layout kratos --ttl 60',
  ]
  static override usage = '<%= command.id %> -f FILE [FLAGS]'
  static override flags = {
    file: fileFlag({
      char: 'f',
      required: true,
      helpValue: 'FILE|-',
      description: 'file of disco export, YAML or JSON',
    }),
    prune: Flags.boolean({
      description: 'also remove endpoints that are not in the file, of the services in the file',
    }),
    ttl: ttlFlag({
      description:
        'add endpoints that had a lease under a lease of this TTL, which their owners can take over',
    }),
    hold: Flags.boolean({
      description: 'add endpoints that had a lease, and hold them until Ctrl-C, as disco register does',
    }),
    ...bulkFlags,
    force: Flags.boolean({
      description:
        'with --prune, also remove keys with a live lease; replace values with more fields than the file has; turn weights on or off',
    }),
    ...placeFlags,
  }

  async run(): Promise<ApplyDoc> {
    const { flags } = await this.parse(Apply)
    const format = this.format(flags)
    if (flags.hold && format === 'json') {
      throw new DiscoError('USAGE', '--hold prints events: use -o ndjson, or the table')
    }
    const { readRegistryFile } = await import('../registry/file/read.js')
    const { name, text } = await readFileText(flags.file)
    const given = readRegistryFile(text, name)
    if (flags.prune && given.selection !== null) {
      throw new DiscoError('USAGE', `${name} has only ${given.selection}: --prune would remove the rest`, {
        suggestions: ['To prune, export whole services'],
      })
    }
    const root = this.rootOf(given, flags)
    const stated = await this.stated(given, root, flags)
    const rules: ApplyRules = {
      root,
      prune: flags.prune,
      force: flags.force,
      leased: flags.hold ? 'hold' : flags.ttl === undefined ? 'refused' : { ttlSeconds: flags.ttl },
    }
    const registry = await this.openRegistry({ ...flags, layout: AUTO })
    const { planApply } = await import('../registry/apply/plan.js')
    const plan = await planApply(registry, stated, rules)
    return await this.apply(registry, name, plan, rules, flags)
  }

  /** The keys that the file states, in its own layouts or the one of --layout. */
  private async stated(
    file: RegistryFile,
    root: string,
    flags: BaseFlags & ApplyFlags,
  ): Promise<StatedKey[]> {
    const { statedKeys } = await import('../registry/file/keys.js')
    if (flags.layout === undefined) return statedKeys(file, root)
    if (flags.layout === AUTO)
      throw new DiscoError('USAGE', 'A file is applied in one layout: auto is for reading')
    const { convertFile } = await import('../registry/file/convert.js')
    const { file: converted, leftOut } = convertFile(file, flags.layout)
    const stated = statedKeys(converted, root)
    const mark = this.palette(flags, process.stderr).yellow('!')
    for (const sentence of leftOut) this.remark(`${mark} ${visible(sentence)}`)
    return stated
  }

  /** The root from --root, the environment or the context; if none of them has one, that of the file. */
  private rootOf(file: RegistryFile, flags: BaseFlags & ApplyFlags): string {
    const { root } = this.place({ ...flags, layout: undefined })
    const own = flags.root === undefined && root === '' ? file.root : rootPrefix(root)
    if (own !== file.root) {
      this.remark(`→ the keys of root ${visible(file.root || 'none')} go to root ${visible(own || 'none')}`)
    }
    return own
  }

  private async apply(
    registry: Registry,
    name: string,
    plan: ApplyPlan,
    rules: ApplyRules,
    flags: BaseFlags & ApplyFlags,
  ): Promise<ApplyDoc> {
    const { applyPlan, isToHold } = await import('../registry/apply/apply.js')
    const isHeld = (change: ApplyPlan['changes'][number]) => isToHold(change, rules)
    const planned = applyDoc(name, plan, { applied: null, isHeld })
    const isTable = isForPeople(this.format(flags))
    const leased = flags.hold ? 'held' : `ttl ${flags.ttl}s`
    if (flags['dry-run'] || isTable) {
      if (flags['dry-run'])
        return this.show(planned, flags, (palette) => renderPlan(planned, leased, palette))
      this.outText(flags, renderPlan(planned, leased, this.palette(flags)))
    }
    if (plan.changes.length > 0) await this.ask(planned, flags)
    else if (flags.hold) await this.askToHold(plan, flags)
    let applied: ApplyResult
    {
      using stop = new ChangeStop((line) => this.remark(line))
      const signals = { stop: stop.once, hurry: stop.twice }
      applied = await this.write(
        () => applyPlan(registry.interruptible(stop), plan, rules, this.progress(plan), signals),
        stop.twice,
      )
    }
    const doc = applyDoc(name, plan, { applied, isHeld })
    process.exitCode = { planned: 0, done: 0, moved: 6, interrupted: 130 }[doc.end]
    if (!isTable || plan.changes.some((change) => !isHeld(change))) {
      this.show(doc, flags, (palette) => renderApplied(doc, palette))
    }
    if (!flags.hold || doc.end === 'interrupted') return doc
    const code = await holdKeys(plan, {
      ttlSeconds: flags.ttl,
      format: this.format(flags),
      writer: this.writer(flags),
      palette: this.palette(flags),
      open: async (layout) => await this.openRegistry({ ...flags, layout, root: rules.root }),
      remark: (line) => this.remark(line),
    })
    process.exitCode ||= code
    return doc
  }

  private written = 0

  private progress(plan: ApplyPlan) {
    this.progressLine.show(() => `  ${this.written} of ${plan.changes.length} written`)
    return {
      onWritten: (outcomes: readonly unknown[]) => {
        this.written += outcomes.length
      },
    }
  }

  /** Reports the number of changes made before an error. */
  private async write(write: () => Promise<ApplyResult>, hurry: AbortSignal): Promise<ApplyResult> {
    try {
      return await write()
    } catch (error) {
      this.remark(`! ${this.written} changes were made before this error; repeat the command to finish`)
      if (hurry.aborted) throw new DiscoError('INTERRUPTED', 'Stopped in the middle of a transaction')
      throw error
    }
  }

  private async ask(doc: ApplyDoc, flags: BaseFlags & ApplyFlags): Promise<void> {
    if (flags.yes) return
    const words = { add: 'to add', update: 'to change', remove: 'to remove' }
    const where =
      flags.context === undefined ? this.members(flags).join(', ') : `context ${flags.context.text}`
    const change = `apply ${doc.file} to ${where}: ${countsOf(doc.changes, words).join(', ')}`
    await confirmBulk(change, this.productionLabel(flags))
  }

  /** Asks before a hold that changes no values: it replaces the leases of the keys. */
  private async askToHold(plan: ApplyPlan, flags: BaseFlags & ApplyFlags): Promise<void> {
    const { keysToHold } = await import('../registry/apply/hold-groups.js')
    const keys = keysToHold(plan, flags.ttl).flatMap((group) => group.keys)
    const production = this.productionLabel(flags)
    if (flags.yes || keys.length === 0) return
    const change = `hold ${count(keys.length, 'endpoint')} of ${flags.file.path} under leases of this command`
    await confirmBulk(change, production)
  }

  private show(doc: ApplyDoc, flags: BaseFlags, table: Parameters<typeof this.print>[2]['table']): ApplyDoc {
    return this.print(flags, doc, {
      table,
      lines: () => [doc],
      names: () => doc.changes.flatMap(({ addrs }) => addrs),
    })
  }
}

type ApplyFlags = Interfaces.InferredFlags<typeof Apply.flags>
