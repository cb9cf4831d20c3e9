import { Flags } from '@oclif/core'
import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { type DrainDoc, drainDoc, type WeightDoc, weightDoc } from '../cli/change/document.js'
import { returnUnknownLine } from '../cli/change/return-unknown.js'
import { completeAddressOrKey, refuseSwapped, requireServiceName } from '../cli/flags/arguments.js'
import { changeFlags, placeFlags, versionFlag } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { refuseIdle } from '../cli/flags/idle.js'
import { StopSignals } from '../cli/stop-signals.js'
import { Countdown } from '../cli/terminal/countdown.js'
import { percent } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import type { Registry } from '../registry/registry.js'
import type { EndpointSelection } from '../registry/selection.js'
import type { WeightChanged } from '../registry/weight.js'

const EXAMPLE = 'disco drain hello 1.2.3.4:1001'

export default class Drain extends DiscoCommand {
  static override summary = 'Take an endpoint out of rotation: weight 0, a grace period, unregister'
  static override description =
    'At weight 0, clients send no new calls, and finish those under way during the grace; then the key is deleted. Ctrl-C during the grace leaves the endpoint registered at weight 0; --undo restores its weight.'
  static override examples = [
    '<%= config.bin %> drain hello 1.2.3.4:1001',
    '<%= config.bin %> drain hello 1.2.3.4:1001 --grace 2m',
    '<%= config.bin %> drain hello 1.2.3.4:1001 --undo',
  ]
  static override args = {
    service: argument({ required: true, description: 'the service' }),
    addr: argument({ required: true, description: 'address of the endpoint, or its etcd key' }),
  }
  static override flags = {
    grace: waitFlag({
      allowsZero: true,
      default: 30_000,
      description: 'time at weight 0 before the key is deleted',
    }),
    undo: Flags.boolean({ description: 'restore the weight from before the drain', exclusive: ['force'] }),
    version: versionFlag,
    ...placeFlags,
    ...changeFlags,
    force: Flags.boolean({
      description:
        'drain even the last endpoint with a weight, which turns the weights off; where no weight can be set, remove the key at once',
    }),
  }

  async run(): Promise<DrainDoc | WeightDoc> {
    const { args, flags, metadata } = await this.parse(Drain)
    if (flags.undo) refuseIdle({ flags, metadata }, ['grace'], 'with --undo')
    refuseSwapped(args.service, args.addr, ['drain', args.addr, args.service])
    const service = requireServiceName(args.service, this.place(flags).layout)
    const addr = await completeAddressOrKey(args.addr, EXAMPLE)
    const selection = { service, addr, version: flags.version }
    await this.confirmChange(flags, `drain ${service} ${addr}${flags.undo ? ' --undo' : ''}`)
    const registry = await this.openRegistry(flags)
    if (flags.undo) return await this.undo(registry, selection, flags)
    return await this.drain(registry, selection, { ...flags, graceMs: flags.grace })
  }

  private async drain(
    registry: Registry,
    selection: EndpointSelection,
    flags: BaseFlags & { force: boolean; graceMs: number },
  ): Promise<DrainDoc> {
    const { service } = selection
    const { graceMs } = flags
    const { drain } = await import('../agent/drain.js')
    using stop = new StopSignals()
    using countdown = new Countdown(graceMs)
    const drained = await drain(
      registry,
      { selection, graceMs, force: flags.force },
      {
        onWeighed: (weighed) => {
          this.tellWeighed(weighed, service, flags)
          countdown.start((left) => `→ unregistering in ${left}  (Ctrl-C: stop here, at weight 0)`)
        },
        onUnweighed: ({ message }) => {
          this.remark(`! the weight cannot be set (${visible(message)}): removing the key at once`)
        },
      },
      stop.once,
    )
    countdown.stop()
    const { returnUnknown } = drained
    if (returnUnknown) this.remark(returnUnknownLine(returnUnknown, this.palette(flags, process.stderr)))
    const doc = drainDoc(service, drained, { graceMs })
    const name = `${visible(service)} ${visible(doc.endpoints.map((endpoint) => endpoint.addr).join(', '))}`
    if (doc.interrupted) process.exitCode = 130
    return this.print(flags, doc, {
      table: (palette) => {
        if (drained.end === 'gone')
          return `${palette.yellow('!')} ${name} was removed by another client (rev ${doc.rev})`
        if (drained.end === 'unregistered')
          return `${palette.green('✓')} ${name} unregistered (rev ${doc.rev})`
        const undo = `disco drain ${visible(service)} ${visible(selection.addr ?? '')} --undo`
        return `${palette.yellow('!')} stopped: ${name} is still registered, at weight 0\n  Undo: ${undo}`
      },
      lines: () => [doc],
      names: () => doc.endpoints.map((endpoint) => endpoint.addr),
    })
  }

  private tellWeighed(weighed: WeightChanged, service: string, flags: BaseFlags): void {
    const palette = this.palette(flags, process.stderr)
    const doc = weightDoc(service, weighed)
    for (const { addr, from, share } of doc.changes) {
      const shares = `share ${percent(share.from)} → ${percent(share.to)}`
      this.remark(
        `${palette.green('✓')} ${visible(service)} ${visible(addr)} weight ${from ?? 'unreadable'} → 0 (rev ${doc.rev}), ${shares}`,
      )
    }
    const hints = new Set(doc.changes.flatMap(({ hints }) => hints.map(({ text }) => text)))
    for (const hint of hints) this.remark(`${palette.yellow('!')} ${hint}`)
  }

  private async undo(registry: Registry, selection: EndpointSelection, flags: BaseFlags): Promise<WeightDoc> {
    const { undoDrain } = await import('../agent/drain.js')
    const { service, addr } = selection
    const undone = await undoDrain(registry, selection)
    const doc = weightDoc(
      service,
      undone ?? { revision: (await registry.list(service)).revision, changes: [], leftOut: [] },
    )
    return this.print(flags, doc, {
      table: (palette) =>
        doc.changes.length === 0
          ? `${palette.yellow('!')} ${visible(service)} ${visible(addr ?? '')} is not drained (rev ${doc.rev})`
          : doc.changes
              .map(({ addr, to, share }) => {
                const now = `weight 0 → ${to} (rev ${doc.rev}), share ${percent(share.to)}`
                return `${palette.green('✓')} ${visible(service)} ${visible(addr)} ${now}`
              })
              .join('\n'),
      lines: () => [doc],
      names: () => doc.changes.map(({ addr }) => addr),
    })
  }
}
