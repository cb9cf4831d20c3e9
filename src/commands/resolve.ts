import { refuseBesideRev, revFlag } from '../cli/flags/since.js'
import { dialledTarget, readDialled } from '../cli/flags/target.js'
import { notesOn } from '../cli/notes/notes.js'
import { type ResolveDoc, resolveDoc } from '../cli/resolve/document.js'
import { renderResolution } from '../cli/resolve/table.js'
import { ResolvingCommand } from '../cli/resolving-command.js'
import { markInReport, visible } from '../cli/terminal/visible.js'

export default class Resolve extends ResolvingCommand {
  static override summary = 'Resolve a target as a gRPC client does'
  static override description =
    'Uses the resolver that programs use: shows the endpoints with their weights and attributes, the service config, and whether the list comes from etcd or from the cache.'
  static override examples = [
    '<%= config.bin %> resolve hello',
    "<%= config.bin %> resolve 'etcd:///hello?version=1.0.0&zone=b&spill-over'",
    "<%= config.bin %> resolve hello -l 'version=2.0.0,weight>0'",
    '<%= config.bin %> resolve dns:///localhost:1001',
  ]
  static override readonly takesSeveral = true
  static override flags = { ...revFlag, ...ResolvingCommand.flags }
  static override args = { target: dialledTarget }

  async run(): Promise<ResolveDoc> {
    const { args, flags, metadata } = await this.parse(Resolve)
    const place = (layout: string) => this.place(flags, layout)
    const dialled = await readDialled(args.target, { flags, metadata }, place)
    refuseBesideRev({ flags, metadata }, ['cache-max-age'])
    const resolution = await this.resolve(dialled, flags, flags.rev)
    const notes = notesOn(
      { dialled, members: this.members(flags), env: process.env },
      resolution.list?.selected ?? [],
    )
    const doc = resolveDoc(resolution, notes)
    for (const { text } of notes)
      this.remark(`${this.palette(flags, process.stderr).yellow('!')} ${visible(text)}`)
    const format = this.format(flags)
    if (format === 'ndjson' || format === 'name') this.remarkUnusable(resolution, flags)
    return this.print(flags, doc, {
      table: (palette) => markInReport(renderResolution(doc, palette)),
      lines: () =>
        doc.endpoints.map((endpoint) => ({ schema: 'disco.resolved/v1', target: doc.target, ...endpoint })),
      names: () => doc.endpoints.flatMap(({ addresses }) => addresses),
    })
  }
}
