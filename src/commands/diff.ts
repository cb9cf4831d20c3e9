import { Flags, type Interfaces } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { placeOf } from '../cli/config.js'
import { type DiffDoc, type DiffSide, diffDoc } from '../cli/diff/document.js'
import {
  type Against,
  contextLayers,
  fileSide,
  openContext,
  readAgainst,
  registrySide,
} from '../cli/diff/sides.js'
import { renderDiff, summaryText } from '../cli/diff/table.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { placeFlags, requireRoot } from '../cli/flags/base.js'
import { argument, integerFlag, parsedBy, refuseEmpty, textFlag } from '../cli/flags/custom.js'
import { readScope, type Scope } from '../cli/flags/target.js'
import { isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { isNamedFile } from '../domain/file-source.js'
import { AUTO } from '../domain/layouts/reader.js'
import { rootPrefix } from '../domain/layouts/root.js'
import type { Registry } from '../registry/registry.js'

/** Exit codes of a comparison, as of diff(1): 1 means that the states differ, not an error as in other commands. */
const DIFFERENT = 1
const FAILED = 2
const ETCD = 3
const INTERRUPTED = 130

export default class Diff extends DiscoCommand {
  static override summary = 'Compare two states of a registry'
  static override description =
    'Compares endpoints by service, address and version: between two revisions, with another context, another root, or a file of disco export. Layouts are compared; leases, revisions and keys are not. + marks endpoints that are only in the second state, - those only in the first. -o json has a JSON patch (RFC 6902). Exit 0: equal; 1: different.'
  static override examples = [
    '<%= config.bin %> diff hello --from 1042',
    '<%= config.bin %> diff --from 1042 --to 1050',
    '<%= config.bin %> diff hello --against staging',
    '<%= config.bin %> export | <%= config.bin %> diff --against -',
    '<%= config.bin %> diff hello --against-root /staging',
  ]
  static override usage =
    '<%= command.id %> [TARGET] --from REV [--to REV] | --against CONTEXT | --against FILE | --against-root PREFIX'
  static override args = {
    target: argument({ description: 'a service, or etcd:///SERVICE; all services by default' }),
  }
  static override flags = {
    from: integerFlag({ min: 1, helpValue: 'REV', description: 'revision of the first state' }),
    to: integerFlag({
      min: 1,
      helpValue: 'REV',
      description: 'revision of the second state; default: the latest',
    }),
    against: Flags.custom<Against>({ parse: parsedBy(readAgainst) })({
      helpValue: 'CONTEXT|FILE',
      description:
        'the second state: a context; a file of disco export or disco ls --json, with a / or .yaml or .json in its name; or - for standard input',
    }),
    'against-root': textFlag({
      parse: parsedBy((text, flag) => requireRoot(refuseEmpty(text, flag), flag)),
      helpValue: 'PREFIX',
      description:
        'the second state: the services under this root, at the same revision; with --against, in that context',
    }),
    ...placeFlags,
  }

  async run(): Promise<DiffDoc> {
    const { args, flags } = await this.parse(Diff)
    refuseCombination(flags)
    const place = (layout: string) => this.place(flags, layout)
    const scope = await readScope({ command: 'diff', target: args.target, flags: {}, place })
    if (!isUnfiltered(scope.filter)) {
      throw new DiscoError('USAGE', `Whole services are compared: "${args.target}" selects a part of one`)
    }
    const { service } = scope
    const registry = await this.openRegistry({ ...flags, ...scope.place })
    const own = { source: 'registry', name: null, root: rootPrefix(scope.place.root) } as const
    const from = await registrySide(registry, service, own, flags.from)
    const to = await this.otherSide(registry, scope, from.revision, flags)
    if (service !== undefined && from.endpoints.length === 0 && to.endpoints.length === 0) {
      await registry.listExisting(service, { revision: flags.from })
    }
    const doc = diffDoc(service, from, to)
    this.print(flags, doc, {
      table: (palette) => renderDiff(doc, palette),
      lines: () => doc.differences.map((one) => Object.assign({ schema: 'disco.difference/v1' }, one)),
      names: () => doc.differences.map(({ addr }) => addr),
    })
    if (!doc.equal) {
      this.remark(summaryText(doc))
      process.exitCode = DIFFERENT
    }
    return doc
  }

  private async otherSide(
    registry: Registry,
    { service, place }: Scope<string | undefined>,
    revision: number,
    flags: BaseFlags & DiffFlags,
  ): Promise<DiffSide> {
    const { against, 'against-root': root } = flags
    if (isNamedFile(against)) return await fileSide(against, service)
    if (against !== undefined) {
      const layers = await contextLayers(
        against,
        root === undefined ? flags : { ...flags, root },
        process.env,
      )
      await using other = await openContext(layers, process.env)
      const named = {
        source: 'context',
        name: against,
        root: rootPrefix(placeOf(layers, AUTO).root),
      } as const
      return await registrySide(other, service, named)
    }
    if (root !== undefined) {
      const other = await this.openRegistry({ ...flags, ...place, root })
      return await registrySide(
        other,
        service,
        { source: 'registry', name: null, root: rootPrefix(root) },
        revision,
      )
    }
    return await registrySide(
      registry,
      service,
      { source: 'registry', name: null, root: rootPrefix(place.root) },
      flags.to,
    )
  }

  /** Exit code 1 means that the states differ, so any failure except one of etcd is 2. */
  protected override async catch(thrown: Error): Promise<void> {
    await super.catch(thrown)
    if (process.exitCode !== ETCD && process.exitCode !== INTERRUPTED) process.exitCode = FAILED
  }

  protected override async finally(): Promise<void> {
    await super.finally()
    await this.output.flushed()
    if (this.output.failure) process.exitCode = FAILED
  }
}

type DiffFlags = Interfaces.InferredFlags<typeof Diff.flags>

/** @throws DiscoError USAGE */
function refuseCombination({ from, to, against, 'against-root': root }: DiffFlags): void {
  if (to !== undefined && from === undefined)
    throw new DiscoError('USAGE', '--to has no effect without --from')
  const others = [against, root].filter((other) => other !== undefined)
  if (to !== undefined && others.length > 0) {
    const name = against === undefined ? '--against-root' : '--against'
    throw new DiscoError('USAGE', `--to has no effect with ${name}, which is the second state`)
  }
  if (root !== undefined && isNamedFile(against)) {
    throw new DiscoError('USAGE', `--against-root has no effect with a file: ${against.path}`)
  }
  if (from !== undefined || others.length > 0) return
  throw new DiscoError('USAGE', 'disco diff needs --from, --against or --against-root', {
    suggestions: ['Such as: disco diff hello --from 1042', 'disco diff hello --against staging'],
  })
}
