import { Flags } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { placeFlags } from '../cli/flags/base.js'
import { argument, parsedBy, readChoice } from '../cli/flags/custom.js'
import { filterFlags, readScope } from '../cli/flags/target.js'
import { type Output, readOutput } from '../cli/output/format.js'
import { LeaseTimes } from '../cli/registry-file/lease-times.js'
import { type FileFormat, RegistryFileWriter } from '../cli/registry-file/write.js'
import { count, grouped } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { type EndpointFilter, formatFilter, isUnfiltered, requireChosen } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import { shownKey } from '../domain/key-text.js'
import { rootPrefix } from '../domain/layouts/root.js'
import { REGISTRY_FILE_SCHEMA } from '../domain/registry-file.js'
import type { Registry } from '../registry/registry.js'

/** Maximum number of keys in the remark about unreadable values. */
const MAX_NAMED = 5

const LANGUAGES = ['yaml', 'json'] as const

const outputFlag = Flags.custom<Output & { readonly language: FileFormat }>({
  helpValue: LANGUAGES.join('|'),
  parse: parsedBy(async (text, flag) => {
    const language = readChoice(LANGUAGES, text, flag)
    return { ...(await readOutput(language, flag)), language }
  }),
})

export default class Export extends DiscoCommand {
  static override summary = 'Write services to a file, which disco apply restores'
  static override description =
    'Writes every endpoint with all that its layout stores, as YAML or JSON (schema disco.registry/v1), page by page. Without a service, all services. A value that cannot be read is left out, and named on standard error.'
  static override examples = [
    '<%= config.bin %> export hello',
    '<%= config.bin %> export hello -l version=1.0.0 -o json',
    '<%= config.bin %> export > registry.yaml',
  ]
  static override usage = '<%= command.id %> [TARGET...] [FLAGS]'
  static override args = {
    targets: argument({
      multiple: true,
      description: 'services, or etcd:///SERVICE, etcd://VERSION/SERVICE; default: all services',
    }),
  }
  static override flags = {
    ttl: Flags.boolean({
      description: `read the granted TTL of every lease, not only of the first ${grouped(LeaseTimes.MAX)}`,
    }),
    ...filterFlags,
    ...placeFlags,
    output: outputFlag({
      char: 'o',
      helpGroup: 'OUTPUT',
      description: 'format of the file',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Export)
    const scopes = await Promise.all(
      [...new Set<string | undefined>(args.targets ?? [undefined])].map((target) =>
        readScope({ command: 'export', target, flags, place: (layout) => this.place(flags, layout) }),
      ),
    )
    const [first] = scopes
    if (first === undefined) return
    const { root } = first.place
    const differing = scopes.find(({ place }) => place.root !== root)
    if (differing) throw new DiscoError('USAGE', 'A file has one root: the targets name different ones')
    const format = flags.json ? 'json' : (flags.output?.language ?? 'yaml')
    const writer = new RegistryFileWriter(this.output, format, {
      schema: REGISTRY_FILE_SCHEMA,
      root: rootPrefix(root),
      selection: selectionOf(scopes),
    })
    const { exportPages } = await import('../registry/file/export.js')
    const unreadable: string[] = []
    let leftOut = 0
    for (const { service, filter, place } of scopes) {
      const registry = await this.openRegistry({ ...flags, ...place })
      const times = new LeaseTimes(registry, flags.ttl)
      const before = writer.count
      let isSeen = false
      for await (const page of exportPages(registry, service, filter, (leases) => times.of(leases))) {
        await writer.add(page.entries, String(page.revision))
        if (this.output.ended.aborted) return
        isSeen ||= page.unreadable.length > 0
        for (const key of page.unreadable) if (unreadable.push(key) > MAX_NAMED) unreadable.pop()
        leftOut += page.unreadable.length
      }
      if (writer.count === before && !isSeen) await requireSome(registry, service, filter)
      if (times.wereLeftOut) this.remark(`! ${times.remark}`)
    }
    writer.end()
    const mark = this.palette(flags, process.stderr).yellow('!')
    if (leftOut > 0) {
      const more = leftOut > unreadable.length ? ', …' : ''
      this.remark(
        `${mark} ${count(leftOut, 'unreadable value')} left out: ${visible(unreadable.map(shownKey).join(', '))}${more}`,
      )
    }
    if (!writer.hasBegun) throw new DiscoError('NOT_FOUND', 'There is no endpoint to export')
    this.remark(count(writer.count, 'endpoint'))
  }
}

/** Explains why nothing is exported. @throws DiscoError NOT_FOUND with similar names, or the existing values */
async function requireSome(
  registry: Registry,
  service: string | undefined,
  filter: EndpointFilter,
): Promise<void> {
  if (service === undefined && isUnfiltered(filter)) return
  const { endpoints } = service === undefined ? await registry.list() : await registry.listExisting(service)
  requireChosen(filter, endpoints, service)
}

/** The conditions of all targets; null if all of their services are exported whole. */
function selectionOf(
  scopes: readonly { service: string | undefined; filter: EndpointFilter }[],
): string | null {
  const parts = scopes.flatMap(({ service, filter }) =>
    isUnfiltered(filter) ? [] : [[service, formatFilter(filter)].filter(Boolean).join(' ')],
  )
  return parts.length === 0 ? null : parts.join('; ')
}
