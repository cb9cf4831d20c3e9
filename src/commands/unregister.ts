import { DiscoCommand } from '../cli/base-command.js'
import { choicesOf, formatChoices } from '../cli/change/choice.js'
import { type UnregisterDoc, type UnregistersDoc, unregisterDoc } from '../cli/change/document.js'
import { returnUnknownLine } from '../cli/change/return-unknown.js'
import { bulkFlags, placeFlags, versionFlag } from '../cli/flags/base.js'
import { changeFilterFlags, readScope, type Scope, targetAndAddresses } from '../cli/flags/target.js'
import { StopSignals } from '../cli/stop-signals.js'
import type { Palette } from '../cli/terminal/color.js'
import { visible } from '../cli/terminal/visible.js'
import { isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { matchEndpoints } from '../registry/selection.js'

export default class Unregister extends DiscoCommand {
  static override aliases = ['rm', 'deregister']
  static override summary = 'Remove an endpoint'
  static override description =
    'Deletes keys and leaves their leases to their owners. Several endpoints at once, or all of a service, need a confirmation, or --yes without a terminal. Checks for a second whether a registrar puts the key back. An endpoint that is not registered is not an error.'
  static override examples = [
    '<%= config.bin %> unregister hello 1.2.3.4:1001',
    '<%= config.bin %> unregister hello 1.2.3.4:1001 --version 1.0.0',
    '<%= config.bin %> unregister hello -l version=1.0.0 --dry-run',
    '<%= config.bin %> unregister --host 10.0.0.5 --yes',
  ]
  static override usage = '<%= command.id %> TARGET ADDR... | TARGET -l SELECTOR | [TARGET] --host HOST'
  static override args = { target: targetAndAddresses }
  static override flags = { ...changeFilterFlags, version: versionFlag, ...placeFlags, ...bulkFlags }

  async run(): Promise<UnregisterDoc | UnregistersDoc> {
    const { args, flags } = await this.parse(Unregister)
    const [target, ...addrs] = args.target ?? []
    const scope = await readScope({
      command: 'unregister',
      empty: 'quoted',
      target,
      addrs,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    refuseAll(scope)
    const registry = await this.openRegistry({ ...flags, ...scope.place })
    const choices = await choicesOf(registry, scope, flags.version)
    await this.confirmChoices(flags, 'unregister', choices)
    using stop = new StopSignals()
    const docs: UnregisterDoc[] = []
    const lines: ((palette: Palette) => string)[] = []
    for (const choice of choices) {
      const { selection } = choice
      const name = formatChoices([
        { ...choice, endpoints: selection.addr === null ? choice.endpoints : null },
      ])
      if (flags['dry-run']) {
        const { revision, endpoints } = await registry.list(selection.service)
        const removed = matchEndpoints(endpoints, selection)
        docs.push(unregisterDoc(selection.service, { revision, removed }, { dryRun: true }))
        lines.push(() => `${visible(name)} would be unregistered`)
        continue
      }
      const unregistered = await registry.unregister(selection, { endWait: stop.once })
      const doc = unregisterDoc(selection.service, unregistered)
      docs.push(doc)
      const { returnUnknown, removed, isLast, wentMeanwhile } = unregistered
      const errors = this.palette(flags, process.stderr)
      if (returnUnknown) this.remark(returnUnknownLine(returnUnknown, errors))
      if (isLast) this.remark(`${errors.yellow('!')} ${visible(doc.service)} has no endpoint left`)
      lines.push((palette) => {
        if (removed.length > 0) return `${palette.green('✓')} ${visible(name)} unregistered (rev ${doc.rev})`
        const why = wentMeanwhile ? 'was removed by another client' : 'was not registered'
        return `${palette.yellow('!')} ${visible(name)} ${why} (rev ${doc.rev})`
      })
    }
    const [first] = docs
    const doc: UnregisterDoc | UnregistersDoc =
      scope.service !== undefined && first ? first : { schema: 'disco.unregisters/v1', services: docs }
    return this.print(flags, doc, {
      table: (palette) => lines.map((line) => line(palette)).join('\n'),
      lines: () =>
        docs.flatMap(({ service, rev, dryRun, removed }) =>
          removed.map((one) => ({ schema: 'disco.unregistered/v1', service, rev, dryRun, ...one })),
        ),
      names: () => docs.flatMap(({ removed }) => removed.map(({ addr }) => addr)),
    })
  }
}

/** @throws DiscoError USAGE where nothing says which endpoints are meant */
function refuseAll({ service, filter }: Scope<string | undefined>): void {
  if (!isUnfiltered(filter)) return
  throw new DiscoError(
    'USAGE',
    `disco unregister needs ${service === undefined ? 'TARGET and ADDR' : 'ADDR'}`,
    {
      suggestions: ['Such as: disco unregister hello 1.2.3.4:1001', 'Several: -l SELECTOR or --host HOST'],
    },
  )
}
