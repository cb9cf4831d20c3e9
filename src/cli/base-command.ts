import { Command, type Interfaces } from '@oclif/core'
import { AUTO } from '../domain/layouts/reader.js'
import type { CacheOptions, Registry } from '../registry/registry.js'
import type { Choice } from './change/choice.js'
import { etcdMembers, etcdOptions, type FullPlace, placeOf } from './config.js'
import { confirmBulk, confirmChange } from './context/confirm.js'
import { type Layers, readLayers } from './context/layers.js'
import { productionLabel } from './context/settings.js'
import { baseFlags, type CacheFlags, type PlaceFlags } from './flags/base.js'
import { refuseSecondReader } from './flags/standard-input.js'
import type { Scope } from './flags/target.js'
import type { LineOutput } from './output/line-output.js'
import { standardOutput } from './output/standard-output.js'
import { reportError } from './report-error.js'
import { type Palette, paletteFor } from './terminal/color.js'
import { jsonLine, prettyJsonLines, visible } from './terminal/visible.js'
import { checkWords } from './words/check-words.js'
import { usageError } from './words/usage-error.js'

export type BaseFlags = Interfaces.InferredFlags<typeof baseFlags>
export type OutputFormat = NonNullable<BaseFlags['output']>

/** The output formats other than JSON. */
export interface Printers {
  table(palette: Palette, wide: boolean): string
  /** One JSON document per line. */
  lines(): readonly unknown[]
  /** One name per line, for scripts. */
  names(): readonly string[]
}

/** The output of a view: data on standard output, remarks on standard error, each in the colours of its stream. */
export interface Speaker {
  readonly format: OutputFormat
  readonly palette: Palette
  readonly remarkPalette: Palette
  out(line: string): void
  /** Backpressure of `out`. */
  readonly reader: Pick<LineOutput, 'isBehind' | 'drained'>
  remark(line: string): void
}

/** A command parses, calls one library function, prints its result, and returns it. */
export abstract class DiscoCommand extends Command {
  static override baseFlags = baseFlags

  /** Whether it takes settings of etcd from project files and contexts. */
  static readonly readsContexts: boolean = true

  private readonly opened: Registry[] = []
  private layers: Layers | null = null

  /** The registry that flags, environment and contexts name; closed when the command is over. */
  protected async openRegistry(
    flags: BaseFlags & Partial<PlaceFlags>,
    cache: CacheOptions | false = false,
  ): Promise<Registry> {
    const { Registry } = await import('../registry/registry.js')
    const registry = await Registry.open({
      ...(await etcdOptions(this.layersOf(flags))),
      ...this.place(flags),
      cache,
    })
    this.opened.push(registry)
    return registry
  }

  /** The registry of a scope. @throws DiscoError as `requireRegistered` */
  protected async openScope(flags: BaseFlags, scope: Scope<string | undefined>): Promise<Registry> {
    const { requireRegistered } = await import('./flags/target.js')
    const registry = await this.openRegistry({ ...flags, ...scope.place })
    await requireRegistered(registry, scope)
    return registry
  }

  /** The layout is detected by default. A command that writes overrides this. */
  protected place(flags: Partial<PlaceFlags>, defaultLayout: string = AUTO): FullPlace {
    return placeOf(this.layersOf(flags), defaultLayout)
  }

  /** The members of etcd that `openRegistry` connects to. */
  protected members(flags: BaseFlags): readonly string[] {
    return etcdMembers(this.layersOf(flags)).endpoints
  }

  /**
   * Asks before a change of a production cluster.
   *
   * @param change the pending change, such as `drain hello 1.2.3.4:1001`
   * @throws DiscoError USAGE without a terminal and without --yes; INTERRUPTED for a negative answer
   */
  protected async confirmChange(flags: BaseFlags & { readonly yes: boolean }, change: string): Promise<void> {
    const label = productionLabel(this.layersOf(flags))
    if (label !== null && !flags.yes) await confirmChange(label, change)
  }

  /**
   * Asks before a change of several endpoints, or of all that a service has, and before any in a production cluster.
   *
   * @param verb `drain`
   * @throws DiscoError as {@link confirmChange}
   */
  protected async confirmChoices(
    { yes, 'dry-run': isDry, ...flags }: BaseFlags & { readonly yes: boolean; readonly 'dry-run': boolean },
    verb: string,
    choices: readonly Choice[],
  ): Promise<void> {
    if (isDry) return
    const { formatChoices, isAskedAbout } = await import('./change/choice.js')
    const change = `${verb} ${formatChoices(choices)}`
    if (!isAskedAbout(choices)) return await this.confirmChange({ ...flags, yes }, change)
    if (!yes) await confirmBulk(change, productionLabel(this.layersOf(flags)))
  }

  /** The name of a production context, for questions; null elsewhere. */
  protected productionLabel(flags: Layers['flags']): string | null {
    return productionLabel(this.layersOf(flags))
  }

  /** The sources of settings, in order of precedence. */
  protected layersOf(flags: Layers['flags']): Layers {
    return { named: null, env: process.env, project: null, chosen: null, warnings: [], ...this.layers, flags }
  }

  /** The cached list that a dialling command may use while etcd is unreachable. */
  protected cacheOptions({ cache, 'cache-max-age': maxAgeMs }: CacheFlags): CacheOptions | false {
    return cache && { maxAgeMs, onWarning: (message) => this.remark(`! ${visible(message)}`) }
  }

  protected format(flags: BaseFlags, otherwise: OutputFormat = 'table'): OutputFormat {
    return flags.json ? 'json' : (flags.output ?? otherwise)
  }

  protected palette(flags: BaseFlags, stream: NodeJS.WriteStream = process.stdout): Palette {
    return paletteFor(stream, flags.color, process.env)
  }

  protected speaker(flags: BaseFlags): Speaker {
    return {
      format: this.format(flags),
      palette: this.palette(flags),
      remarkPalette: this.palette(flags, process.stderr),
      out: (line) => this.out(line),
      reader: this.output,
      remark: (line) => this.remark(line),
    }
  }

  /** Prints data on standard output and returns it. */
  protected print<Data extends object>(flags: BaseFlags, data: Data, printers: Printers): Data {
    const format = this.format(flags)
    if (format === 'json') for (const lines of prettyJsonLines(data)) this.out(lines)
    else if (format === 'ndjson') for (const line of printers.lines()) this.out(jsonLine(line))
    else if (format === 'name') for (const name of printers.names()) this.out(visible(name))
    else this.out(printers.table(this.palette(flags), format === 'wide'))
    return data
  }

  /** Standard output: streams await its backpressure, and end with it. */
  protected get output(): LineOutput {
    return standardOutput()
  }

  protected out(line: string): void {
    this.output.writeLine(line)
  }

  /** Writes a remark to standard error, so that scripts do not find it in standard output. */
  protected remark(line: string): void {
    process.stderr.write(`${line}\n`)
  }

  /** @throws DiscoError USAGE in place of oclif's own errors */
  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(
    options?: Interfaces.Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const { ctor } = this
    checkWords(ctor.id, argv, { ...ctor.baseFlags, ...ctor.flags })
    try {
      const parsed = await super.parse(options, argv)
      refuseSecondReader(parsed.flags)
      if ((ctor as typeof DiscoCommand).readsContexts) await this.readLayers(parsed.flags)
      return parsed
    } catch (thrown) {
      throw usageError(thrown, ctor)
    }
  }

  protected async readLayers(flags: Layers['flags']): Promise<Layers> {
    this.layers = await readLayers(flags, process.env, workingFolder())
    for (const warning of this.layers.warnings) this.remark(`! ${visible(warning)}`)
    return this.layers
  }

  protected override async catch(thrown: Error): Promise<void> {
    reportError(thrown, this.argv)
  }

  protected override async finally(): Promise<void> {
    for (const registry of this.opened) registry.close()
  }
}

/** Null where the folder has been removed. */
function workingFolder(): string | null {
  try {
    return process.cwd()
  } catch {
    return null
  }
}
