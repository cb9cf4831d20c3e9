import type { Registrar } from '../../agent/registrar/registrar.js'
import { DEFAULT_LAYOUT, type Layout } from '../../domain/layouts/index.js'
import type { ApplyPlan } from '../../registry/apply/plan.js'
import type { Registry } from '../../registry/registry.js'
import type { DocumentWriter } from '../output/document-writer.js'
import type { OutputFormat } from '../output/format.js'
import { standardOutput } from '../output/standard-output.js'
import { RegisterView } from '../register/view.js'
import { StopSignals } from '../stop-signals.js'
import type { Palette } from '../terminal/color.js'
import { presented } from '../terminal/presented.js'
import { visible } from '../terminal/visible.js'

/** What holding needs of its command. */
interface Holding {
  /** The TTL of all leases; undefined for that of each key. */
  readonly ttlSeconds: number | undefined
  readonly format: OutputFormat
  readonly writer: DocumentWriter
  readonly palette: Palette
  /** Opens a registry that writes in a layout, `NAME` or `NAME=BASE`. */
  readonly open: (layout: string) => Promise<Registry>
  readonly remark: (line: string) => void
}

/**
 * Holds the keys of a plan that had a lease until Ctrl-C, as `disco register` does. Keys that other registrars hold, or
 * take over, are left to them.
 *
 * @returns the exit code
 */
export async function holdKeys(
  plan: ApplyPlan,
  { ttlSeconds, format, writer, palette, open, remark }: Holding,
): Promise<number> {
  const { keysToHold } = await import('../../registry/apply/hold-groups.js')
  const { holdAll, registrarOf } = await import('../../agent/hold.js')
  const groups = keysToHold(plan, ttlSeconds)
  if (groups.length === 0) return 0
  standardOutput().ignoreFailures()
  using stop = new StopSignals()
  const isForPeople = format === 'table' || format === 'wide'
  const print = (line: string) => void standardOutput().writeLine(presented(line, palette))
  const registries = new Map<string, Registry>()
  const registrars: Registrar[] = []
  for (const group of groups) {
    const { layout } = group.keys[0]
    const name = nameOf(layout)
    const registry = registries.get(name) ?? (await open(name))
    registries.set(name, registry)
    const registrar = registrarOf(registry, group)
    new RegisterView(isForPeople ? palette : null, group.ttlSeconds, layout, print, writer).follow(registrar)
    registrars.push(registrar)
  }
  if (isForPeople) print('  Ctrl-C: deregister.')
  stop.onEach(() => {
    for (const registrar of registrars) registrar.stop()
  })
  return await holdAll(registrars, ({ message }) => remark(`! ${visible(message)}: left to it`))
}

/** The layout at its base, as --layout takes it. The default layout has no other base. */
function nameOf({ name, base }: Layout): string {
  return name === DEFAULT_LAYOUT.name ? name : `${name}=${base}`
}
