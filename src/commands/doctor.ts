import { Flags, type Interfaces } from '@oclif/core'
import type { SurveyOptions } from '../agent/health/survey.js'
import { DiscoCommand } from '../cli/base-command.js'
import { ChangeStop } from '../cli/change-stop.js'
import { confirmBulk } from '../cli/context/confirm.js'
import { type DoctorDoc, doctorDoc, type FindingDoc } from '../cli/doctor/document.js'
import { renderDoctor, summaryLine } from '../cli/doctor/view.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { bulkFlags, placeFlags } from '../cli/flags/base.js'
import { commandLine } from '../cli/flags/connection-words.js'
import { refuseIneffective, withoutFalse } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { ACCESS_NAMES, accessFlags, accessOf } from '../cli/flags/probe.js'
import { filterFlags, readScope, type Scope, targetAndAddresses } from '../cli/flags/target.js'
import { isSharedRegistry } from '../cli/notes/notes.js'
import { Progress } from '../cli/output/progress.js'
import { reportError } from '../cli/report-error.js'
import { visible } from '../cli/terminal/visible.js'
import type { Finding } from '../doctor/finding.js'
import { unlessAborted } from '../domain/abortable.js'
import { DiscoError } from '../domain/errors.js'
import type { Registry } from '../registry/registry.js'

export default class Doctor extends DiscoCommand {
  static override summary = 'Find what is wrong with a registry, its servers and etcd'
  static override description =
    'Each finding has a code (disco help D001), its consequence, and the command that fixes it. With an address, it also explains why that endpoint gets no traffic. Checks that could not be made are listed, and do not count as passed. --fix removes only leftover keys: those without a lease whose address refuses connections, or whose server has another key with a lease. Exits 9 if errors remain.'
  static override examples = [
    '<%= config.bin %> doctor hello',
    '<%= config.bin %> doctor hello 1.2.3.4:1001',
    '<%= config.bin %> doctor --host 10.0.0.5',
    '<%= config.bin %> doctor hello --fix --dry-run',
  ]
  static override usage = '<%= command.id %> [TARGET] [ADDR...] [FLAGS]'
  static override args = { target: targetAndAddresses }
  static override flags = {
    probe: Flags.boolean({
      allowNo: true,
      default: true,
      description: 'check the health of the servers',
    }),
    'probe-timeout': waitFlag({ default: 2_000, description: 'limit of each check of a server' }),
    fix: Flags.boolean({ description: 'remove leftover keys, after a confirmation' }),
    ...filterFlags,
    ...accessFlags,
    ...placeFlags,
    ...bulkFlags,
  }

  async run(): Promise<DoctorDoc> {
    const { args, flags, metadata } = await this.parse(Doctor)
    if (!flags.probe) {
      refuseIneffective({ flags, metadata }, ['probe-timeout', ...ACCESS_NAMES], 'with --no-probe')
      // Probes show which servers have ended, and only then may their keys be removed.
      if (flags.fix) refuseIneffective({ flags, metadata }, ['fix'], 'with --no-probe')
    }
    if (!flags.fix)
      refuseIneffective({ flags: withoutFalse(flags), metadata }, ['yes', 'dry-run'], 'without --fix')
    const probe = flags.probe ? { deadlineMs: flags['probe-timeout'], ...(await accessOf(flags)) } : null
    const [target, ...addrs] = args.target ?? []
    const scope = await readScope({
      command: 'doctor',
      target,
      addrs,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    const registry = await this.openRegistry({ ...flags, ...scope.place })
    using stop = new ChangeStop((line) => this.remark(line))
    const work = this.examine(registry, scope, probe, flags, stop)
    const doc = await unlessAborted(work, stop.twice).catch((error: unknown) => {
      if (!stop.twice.aborted) throw error
      const rest = flags.fix ? ': the last removal may still take effect' : ''
      throw new DiscoError('INTERRUPTED', `Interrupted${rest}`)
    })
    this.print(flags, doc, {
      table: (palette) => renderDoctor(doc, palette),
      lines: () => doc.findings.map((finding) => ({ schema: 'disco.finding/v1', rev: doc.rev, ...finding })),
      names: () => [
        ...new Set(
          doc.findings.map(({ addr, key, member, service }) => addr ?? key ?? member ?? service ?? 'etcd'),
        ),
      ],
    })
    this.remark(summaryLine(doc))
    process.exitCode = doc.interrupted ? 130 : doc.failure ? doc.failure.exit : doc.errors > 0 ? 9 : 0
    return doc
  }

  private async examine(
    registry: Registry,
    { service, filter }: Scope<string | undefined>,
    probe: SurveyOptions | null,
    flags: BaseFlags & DoctorFlags,
    stop: ChangeStop,
  ): Promise<DoctorDoc> {
    const signal = stop.once
    const { diagnose } = await import('../doctor/diagnose.js')
    const isShared = isSharedRegistry(this.members(flags))
    let doing = ''
    this.progressLine.wait(() => doing)
    const diagnosis = await diagnose(
      registry,
      { service, filter, probe, isShared, layout: process.env.DISCO_LAYOUT },
      (what, done, all) => {
        doing = all === 0 ? what : `${what}: ${done} of ${all}`
      },
      signal,
    )
    Progress.end()
    const { failure, members } = diagnosis.examination
    // If no member answered, the failure is the only result.
    if (failure && members.every(({ status }) => status instanceof Error)) throw failure
    if (failure) reportError(failure, [])
    const docWith = (fixes: Fixes) =>
      doctorDoc({ service, ...diagnosis, fixes, interrupted: signal.aborted, line: commandLine(flags) })
    if (!flags.fix || probe === null || signal.aborted) return docWith(new Map())
    const show = (planned: Fixes) =>
      this.remark(renderDoctor(docWith(planned), this.palette(flags, process.stderr)))
    return docWith(await this.fix(registry.interruptible(stop), diagnosis, probe, flags, show, signal))
  }

  private async fix(
    registry: Registry,
    { examination, findings }: Awaited<ReturnType<typeof import('../doctor/diagnose.js')['diagnose']>>,
    probe: SurveyOptions,
    flags: BaseFlags & DoctorFlags,
    show: (planned: Fixes) => void,
    signal: AbortSignal,
  ): Promise<Fixes> {
    const { fix, removalsOf } = await import('../doctor/fix.js')
    const { revision, services } = examination
    const removals = removalsOf(findings, services)
    if (removals.length === 0 || revision === null) {
      this.remark('--fix: no leftover keys to remove')
      return new Map()
    }
    const planned: Fixes = new Map(
      removals.flatMap(({ findings: fixed }) => fixed.map((finding) => [finding, 'planned'] as const)),
    )
    if (flags['dry-run']) return planned
    const keys = removals.map(({ endpoints: [{ key }] }) => visible(key))
    const change = `remove ${keys.length === 1 ? 'the leftover key' : `${keys.length} leftover keys:`} ${keys.join(', ')}`
    if (!flags.yes) await confirmBulk(change, this.productionLabel(flags), () => show(planned))
    const fixes = new Map<Finding, NonNullable<FindingDoc['fixed']>>()
    await fix(
      registry,
      removals,
      { probe, listedAt: revision },
      ({ removal, outcome }) => {
        for (const finding of removal.findings) fixes.set(finding, outcome)
      },
      signal,
    )
    return fixes
  }
}

/** The outcomes of `--fix`, by finding. */
type Fixes = ReadonlyMap<Finding, NonNullable<FindingDoc['fixed']>>

type DoctorFlags = Interfaces.InferredFlags<typeof Doctor.flags>
