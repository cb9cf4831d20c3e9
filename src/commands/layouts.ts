import { DiscoCommand } from '../cli/base-command.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { type PlaceFlags, placeFlags } from '../cli/flags/base.js'
import { type LayoutsDoc, layoutsDoc } from '../cli/layouts/document.js'
import { renderLayouts } from '../cli/layouts/table.js'
import { count } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { DiscoError } from '../domain/errors.js'
import type { LayoutCounts } from '../registry/layout-counts.js'

/** Exit code if etcd is unreachable or denies access. */
const ETCD_EXIT = 3

export default class Layouts extends DiscoCommand {
  static override summary = 'List the known registry layouts, and which of them are present'
  static override description =
    'Reads all keys once, page by page, and the values of those that can be registrations. If etcd is unreachable, lists the known layouts.'
  static override examples = ['<%= config.bin %> layouts', '<%= config.bin %> layouts --root /prod']
  static override flags = { root: placeFlags.root }

  async run(): Promise<LayoutsDoc> {
    const { flags } = await this.parse(Layouts)
    const { root } = this.place(flags)
    const doc = layoutsDoc(root, await this.countLayouts(flags))
    this.print(flags, doc, {
      table: (palette, wide) => renderLayouts(doc, palette, wide),
      lines: () => doc.layouts.map((layout) => ({ schema: 'disco.layout/v1', rev: doc.rev, ...layout })),
      names: () => doc.layouts.map(({ name }) => name),
    })
    if (doc.rev === null) return doc
    const present = doc.layouts.filter(({ keys }) => keys)
    this.remark(`${present.length} of ${count(doc.layouts.length, 'layout')} present (rev ${doc.rev})`)
    if (doc.otherKeys) this.remark(`${count(doc.otherKeys, 'other key')}: not readable as registrations`)
    return doc
  }

  /** Null if etcd is unreachable or denies access: the known layouts are then listed without counts. */
  private async countLayouts(flags: BaseFlags & Partial<PlaceFlags>): Promise<LayoutCounts | null> {
    const registry = await this.openRegistry(flags)
    try {
      return await registry.countLayouts()
    } catch (thrown) {
      const error = DiscoError.from(thrown)
      if (error.exit !== ETCD_EXIT) throw error
      this.remark(`${this.palette(flags, process.stderr).yellow('!')} ${visible(error.message)}`)
      this.remark('  It is not known which layouts are present.')
      return null
    }
  }
}
