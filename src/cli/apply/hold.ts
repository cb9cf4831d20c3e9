import type { Registrar } from '../../agent/registrar/registrar.js'
import type { DiscoError } from '../../domain/errors.js'
import { DEFAULT_LAYOUT, type Layout } from '../../domain/layouts/index.js'
import type { ApplyPlan } from '../../registry/apply/plan.js'
import type { Registry } from '../../registry/registry.js'
import type { DocumentWriter } from '../output/document-writer.js'
import { isForPeople, type OutputFormat } from '../output/format.js'
import { standardOutput } from '../output/standard-output.js'
import { RegisterView } from '../register/view.js'
import { StopSignals } from '../stop-signals.js'
import type { Palette } from '../terminal/color.js'
import { visible } from '../terminal/visible.js'
import { presented } from '../terminal/wrap.js'

/** The options and the output of the command that holds the keys. */
interface Holding {
  /** The TTL of all leases. Undefined: each key has the TTL of the file, or else the default of its layout. */
  readonly ttlSeconds: number | undefined
  readonly format: OutputFormat
  readonly writer: DocumentWriter
  readonly palette: Palette
  /** Opens a registry that writes in the given layout, `NAME` or `NAME=BASE`. */
  readonly open: (layout: string) => Promise<Registry>
  readonly remark: (line: string) => void
}

/**
 * Registers those keys of a plan that have a lease in the file, and holds them until Ctrl-C, as `disco register` does.
 * A key that exists in etcd without a lease is not held, nor is one that another registrar holds or takes over.
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
  const print = (line: string) => void standardOutput().writeLine(presented(line, palette))
  const onLeft = ({ message }: DiscoError) => remark(`! ${visible(message)}: not held here`)
  const registries = new Map<string, Registry>()
  const registrars: Registrar[] = []
  for (const group of groups) {
    const { layout } = group.keys[0]
    const name = layoutFlagOf(layout)
    const registry = registries.get(name) ?? (await open(name))
    registries.set(name, registry)
    const registrar = registrarOf(registry, group, onLeft)
    new RegisterView(isForPeople(format) ? palette : null, group.ttlSeconds, layout, print, writer).follow(
      registrar,
    )
    registrars.push(registrar)
  }
  if (isForPeople(format)) print('  Ctrl-C: deregister.')
  stop.onEach(() => {
    for (const registrar of registrars) registrar.stop()
  })
  return await holdAll(registrars, onLeft)
}

/** The value of --layout for a layout. The default layout has only one base, so its name is enough. */
function layoutFlagOf({ name, base }: Layout): string {
  return name === DEFAULT_LAYOUT.name ? name : `${name}=${base}`
}
