import { DiscoCommand } from '../cli/base-command.js'
import { type Choice, choicesOf, formatChoices, needsEndpoint, unreadableText } from '../cli/change/choice.js'
import { type UnregisterDoc, type UnregistersDoc, unregisterDoc } from '../cli/change/document.js'
import { returnUnknownLine } from '../cli/change/lines.js'
import { bulkFlags, placeFlags, versionFlag } from '../cli/flags/base.js'
import { changeFilterFlags, readScope, type Scope, targetAndAddresses } from '../cli/flags/target.js'
import type { Palette } from '../cli/terminal/color.js'
import { visible } from '../cli/terminal/visible.js'
import type { Endpoint } from '../domain/endpoint.js'
import { ALL_ENDPOINTS, formatFilter, isUnfiltered } from '../domain/endpoint-filter.js'
import { chooseRemoval } from '../registry/selection.js'

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
    using stop = this.stopOfChange()
    const registry = await this.openScope(flags, scope)
    const choices = await choicesOf(registry, scope, flags.version, { isRemoval: true })
    const errors = this.palette(flags, process.stderr)
    const warn = (text: string) => this.remark(`${errors.yellow('!')} ${visible(text)}`)
    for (const { leftOut, absent, selection } of choices) {
      if (leftOut.length > 0) warn(unreadableText(leftOut))
      for (const addr of absent) warn(`${selection.service} ${addr} is not registered`)
    }
    if (choices.some(({ endpoints }) => endpoints === null || endpoints.length > 0))
      await this.confirmChoices(flags, 'unregister', choices)
    const docs: UnregisterDoc[] = []
    const lines: ((palette: Palette) => string)[] = []
    const remove = async (choice: Choice) => {
      const { selection } = choice
      if (flags['dry-run']) {
        const { revision, endpoints } = await registry.list(selection.service)
        const { chosen } = chooseRemoval(endpoints, selection)
        docs.push(unregisterDoc(selection.service, { revision, removed: chosen }, { dryRun: true }))
        const result = chosen.length > 0 ? 'would be unregistered' : 'is not registered: nothing to remove'
        lines.push(() => `${visible(nameOf(choice, chosen))} ${result}`)
        return
      }
      const unregistered = await registry.unregister(selection, { endWait: stop.once })
      const doc = unregisterDoc(selection.service, unregistered)
      docs.push(doc)
      const { returnUnknown, removed, isLast, wentMeanwhile, leftOut } = unregistered
      if (returnUnknown) this.remark(returnUnknownLine(returnUnknown, errors))
      for (const { addr } of leftOut) {
        warn(`${doc.service} ${addr} was changed meanwhile, and is no longer selected: it stays registered`)
      }
      if (isLast) warn(`${doc.service} has no endpoint left`)
      const name = visible(nameOf(choice, removed))
      lines.push((palette) => {
        if (removed.length > 0) return `${palette.green('✓')} ${name} unregistered (rev ${doc.rev})`
        const kept = leftOut.length > 0 ? 'stays registered' : 'was not registered'
        const why = wentMeanwhile ? 'was removed by another client' : kept
        return `${palette.yellow('!')} ${name} ${why} (rev ${doc.rev})`
      })
    }
    for (const [at, choice] of choices.entries()) {
      if (stop.once.aborted && at > 0) {
        process.exitCode = 130
        warn(`stopped: ${formatChoices(choices.slice(at))}: still registered`)
        break
      }
      await remove(choice).catch((error: unknown) => {
        for (const line of lines) this.remark(line(errors))
        throw error
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

/** The text for the removed endpoints, or for those to be removed. All addresses of a key are removed together. */
function nameOf(choice: Choice, removed: readonly Endpoint[]): string {
  const { selection, endpoints } = choice
  if (endpoints !== null && removed.length > 0) return formatChoices([{ ...choice, endpoints: removed }])
  if (endpoints !== null && endpoints.length > 0) return formatChoices([choice])
  if (endpoints !== null) return `${selection.service} ${formatFilter(selection.filter ?? ALL_ENDPOINTS)}`
  const others = removed.map(({ addr }) => addr).filter((addr) => addr !== selection.addr)
  const name = formatChoices([choice])
  return removed.length > 1 ? `${name} (with ${others.join(', ')}, under the same key)` : name
}

/** @throws DiscoError USAGE if the arguments select no endpoints */
function refuseAll({ service, filter }: Scope<string | undefined>): void {
  if (!isUnfiltered(filter)) return
  throw needsEndpoint('unregister', service)
}
