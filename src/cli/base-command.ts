import type { Interfaces } from '@oclif/core'
import type { Discovery } from '../domain/discovery.js'
import { DiscoError } from '../domain/errors.js'
import { AUTO } from '../domain/layouts/reader.js'
import type { Origin } from '../domain/origins.js'
import type { CacheOptions, Registry } from '../registry/registry.js'
import type { Choice } from './change/choice.js'
import { ChangeStop } from './change-stop.js'
import { etcdMembers, etcdOptions, type FullPlace, placeOf } from './config.js'
import { confirmBulk, confirmChange } from './context/confirm.js'
import type { Layers } from './context/layers.js'
import { productionLabel } from './context/settings.js'
import { type ReadContext, readContexts } from './context/several.js'
import {
  type BaseFlags,
  type BulkFlags,
  baseFlags,
  type CacheFlags,
  type ChangeFlags,
  type PlaceFlags,
} from './flags/base.js'
import { refuseSecondReader } from './flags/standard-input.js'
import type { Scope } from './flags/target.js'
import { Progress, readingText } from './output/progress.js'
import { OutputCommand } from './output-command.js'
import { reportError } from './report-error.js'
import { visible } from './terminal/visible.js'
import { checkWords } from './words/check-words.js'
import { usageError } from './words/usage-error.js'

/** A registry that a command reads. */
export interface OpenRegistry {
  /** Name, priority and weight of the registry; null unless -C names several contexts. */
  readonly origin: Origin | null
  readonly registry: Registry
  /** URLs of the etcd members. */
  readonly members: readonly string[]
}

export type OpenRegistries = readonly [OpenRegistry, ...OpenRegistry[]]

/**
 * Returns the layout and root of a context's keys. The context's settings and the flags determine them; `defaultLayout`
 * applies if neither names a layout.
 */
export type PlaceIn = (defaultLayout: string) => FullPlace

/** Base of all commands: a command parses its flags, calls one library function, prints the result and returns it. */
export abstract class DiscoCommand extends OutputCommand {
  static override baseFlags = baseFlags

  /** Whether the command takes etcd settings from project files and contexts. */
  static readonly readsContexts: boolean = true

  /** Whether `-C NAME,NAME` may name several contexts, whose registries the command reads together. */
  static readonly takesSeveral: boolean = false

  /** The arguments as typed. Commands remove what follows `--` from `argv`. */
  private readonly typed: readonly string[] = [...this.argv]
  private readonly opened: Registry[] = []
  /** Ends the requests of registries that are opened later; null for a command that a signal may end at any time. */
  private changeStop: ChangeStop | null = null
  private contexts: readonly [ReadContext, ...ReadContext[]] | null = null

  /** Opens the registry that flags, environment and contexts configure. It is closed when the command ends. */
  protected async openRegistry(
    flags: BaseFlags & Partial<PlaceFlags>,
    cache: CacheOptions | false = false,
  ): Promise<Registry> {
    return await this.open(this.layersOf(flags), this.place(flags), cache)
  }

  /**
   * Opens the registry of each context in `-C NAME,NAME`; without several contexts, the registry that `openRegistry`
   * opens. They are closed when the command ends.
   *
   * @param placeIn returns the layout and root of a context, from the `PlaceIn` of that context
   */
  protected async openRegistries(
    flags: BaseFlags,
    placeIn: (place: PlaceIn) => FullPlace | Promise<FullPlace>,
    cache: CacheOptions | false = false,
  ): Promise<OpenRegistries> {
    const open = async ({ origin, layers: own }: ReadContext): Promise<OpenRegistry> => {
      const layers = { ...own, flags: { ...flags, context: own.flags.context } }
      const place = await placeIn((defaultLayout) => placeOf(layers, defaultLayout))
      const registry = await this.open(layers, place, cache)
      return { origin, registry, members: etcdMembers(layers).endpoints }
    }
    const [first, ...more] = this.readFrom
    return [await open(first), ...(await Promise.all(more.map(open)))]
  }

  /** Opens the registries like `openRegistries`, and combines several into one Discovery, which resolves targets. */
  protected async openDiscovery(
    flags: BaseFlags,
    placeIn: (place: PlaceIn) => FullPlace | Promise<FullPlace>,
    cache: CacheOptions | false = false,
  ): Promise<{ readonly discovery: Discovery; readonly registries: OpenRegistries }> {
    const registries = await this.openRegistries(flags, placeIn, cache)
    const [only, ...others] = registries
    if (others.length === 0) return { discovery: only.registry, registries }
    const { combineRegistries } = await import('../registry/combined/combine.js')
    const named = registries.map(({ origin, registry }) => [origin?.registry ?? '', registry] as const)
    const from = flags.context?.text ?? ''
    return { discovery: combineRegistries(Object.fromEntries(named), { from }), registries }
  }

  private async open(layers: Layers, place: FullPlace, cache: CacheOptions | false): Promise<Registry> {
    const { Registry } = await import('../registry/registry.js')
    const { sampleRevisions } = await import('../registry/revision-sampling.js')
    const { endpoints } = etcdMembers(layers)
    const at = `etcd at ${endpoints.join(',')}`
    let read = { pages: 0, keys: 0 }
    this.progressLine.wait(() => readingText(at, read))
    const opened = await Registry.open({ ...(await etcdOptions(layers)), ...place, cache })
    const registry = this.changeStop ? opened.interruptible(this.changeStop) : opened
    read = registry.internals().client.read
    sampleRevisions(registry, process.env)
    this.opened.push(registry)
    return registry
  }

  /** Signals end the requests of registries that are opened from now on as a change allows it. The caller disposes it. */
  protected stopOfChange(): ChangeStop {
    this.changeStop = new ChangeStop((line) => this.remark(line))
    return this.changeStop
  }

  /**
   * Opens the registry that holds the keys of a scope, and checks the scope's addresses.
   *
   * @throws DiscoError as `requireRegistered`
   */
  protected async openScope(flags: BaseFlags, scope: Scope<string | undefined>): Promise<Registry> {
    const { requireRegistered } = await import('./flags/target.js')
    const registry = await this.openRegistry({ ...flags, ...scope.place })
    await requireRegistered(registry, scope)
    return registry
  }

  /**
   * The layout and root of the keys. With several contexts, those of the first context. By default, the layout of each
   * key is detected; commands that write have another default.
   */
  protected place(flags: Partial<PlaceFlags>, defaultLayout: string = AUTO): FullPlace {
    return placeOf(this.layersOf(flags), defaultLayout)
  }

  /** The layout and root of all contexts in `-C NAME,NAME`. @throws DiscoError USAGE if they differ */
  protected commonPlace(flags: Partial<PlaceFlags>, defaultLayout: string): FullPlace {
    const place = this.place(flags, defaultLayout)
    const others = this.readFrom.map(({ layers }) => placeOf({ ...layers, flags }, defaultLayout))
    if (others.every(({ layout, root }) => layout === place.layout && root === place.root)) return place
    throw new DiscoError('USAGE', 'The contexts of -C have different layouts or roots', {
      suggestions: ['Give --layout NAME and --root PREFIX, or add the layout to the target: ?layout=NAME'],
    })
  }

  /** URLs of the etcd members of all contexts. */
  protected members(flags: BaseFlags): readonly string[] {
    return this.readFrom.flatMap(
      ({ layers, origin }) => etcdMembers(origin === null ? this.layersOf(flags) : layers).endpoints,
    )
  }

  /**
   * Asks for confirmation before a change of a production cluster.
   *
   * @param change the pending change, such as `drain hello 1.2.3.4:1001`
   * @throws DiscoError USAGE without a terminal and without --yes; INTERRUPTED if the answer is no
   */
  protected async confirmChange(flags: BaseFlags & ChangeFlags, change: string): Promise<void> {
    const label = productionLabel(this.layersOf(flags))
    if (label === null || flags.yes) return
    await confirmChange(label, change)
  }

  /**
   * Asks for confirmation before a change of several endpoints, of all endpoints of a service, or of a production
   * cluster.
   *
   * @param verb the change, such as `drain`
   * @throws DiscoError as {@link confirmChange}
   */
  protected async confirmChoices(
    { yes, 'dry-run': isDry, ...flags }: BaseFlags & BulkFlags,
    verb: string,
    choices: readonly Choice[],
  ): Promise<void> {
    if (isDry) return
    const { formatChoices, needsConfirmation } = await import('./change/choice.js')
    const change = `${verb} ${formatChoices(choices)}`
    if (!needsConfirmation(choices)) return await this.confirmChange({ ...flags, yes }, change)
    if (yes) return
    await confirmBulk(change, productionLabel(this.layersOf(flags)))
  }

  /** The label of a production context, for confirmations; null for any other context. */
  protected productionLabel(flags: Layers['flags']): string | null {
    return productionLabel(this.layersOf(flags))
  }

  /** The sources of settings, in order of precedence. */
  protected layersOf(flags: Layers['flags']): Layers {
    const [{ layers }] = this.readFrom
    return { ...layers, flags }
  }

  /** The contexts that `parse` has read; before `parse`, one context without settings. */
  private get readFrom(): readonly [ReadContext, ...ReadContext[]] {
    const none = { flags: {}, named: null, env: process.env, project: null, chosen: null, warnings: [] }
    return this.contexts ?? [{ origin: null, layers: none }]
  }

  /** Options of the cached list that is used while etcd is unreachable; false with --no-cache. */
  protected cacheOptions({ cache, 'cache-max-age': maxAgeMs }: CacheFlags): CacheOptions | false {
    return cache && { maxAgeMs, onWarning: (message) => this.remark(`! ${visible(message)}`) }
  }

  /**
   * Parses as oclif does, then reads the contexts.
   *
   * @throws DiscoError USAGE instead of oclif's errors
   */
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
      this.beginProgress(parsed.flags as unknown as BaseFlags)
      if ((ctor as typeof DiscoCommand).readsContexts) await this.readLayers(parsed.flags)
      return parsed
    } catch (thrown) {
      throw usageError(thrown, ctor)
    }
  }

  protected async readLayers(flags: Layers['flags']): Promise<Layers> {
    const { id, takesSeveral, baseFlags, flags: ownFlags } = this.ctor as typeof DiscoCommand
    const typed = { id, argv: this.typed, definitions: { ...baseFlags, ...ownFlags } }
    this.contexts = await readContexts({ typed, takesSeveral }, flags, process.env, workingFolder())
    const [{ layers }] = this.contexts
    for (const warning of layers.warnings) this.remark(`! ${visible(warning)}`)
    return layers
  }

  protected override async catch(thrown: Error): Promise<void> {
    reportError(thrown, this.argv)
  }

  protected override async finally(): Promise<void> {
    Progress.end()
    for (const registry of this.opened) registry.close()
  }
}

/** The working directory; null if it has been removed. */
function workingFolder(): string | null {
  try {
    return process.cwd()
  } catch {
    return null
  }
}
