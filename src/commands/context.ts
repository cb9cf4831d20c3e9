import { Flags, type Interfaces } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { connectionSettings, missingContextPassword, placeOf } from '../cli/config.js'
import { CONTEXT_ACTIONS, type ContextAction } from '../cli/context/actions.js'
import {
  type ContextChangeDoc,
  type ContextsDoc,
  contextsDoc,
  type SettingsDoc,
  settingsDoc,
} from '../cli/context/document.js'
import { renderContexts, renderSettings } from '../cli/context/table.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { placeFlags } from '../cli/flags/base.js'
import { CLUSTER_FLAGS, PLACE_FLAGS, TIMEOUT_FLAGS } from '../cli/flags/connection-names.js'
import { argument, refuseIneffective, textFlag, withoutFalse } from '../cli/flags/custom.js'
import { visible } from '../cli/terminal/visible.js'
import { DiscoError } from '../domain/errors.js'
import { AUTO } from '../domain/layouts/reader.js'
import { nameSuggestions } from '../domain/nearest.js'
import { readRegistryNames } from '../domain/origins.js'

/** Flags that only `add` takes, and that only `use` takes. */
const ADD_FLAGS = ['production', 'password-env', 'force']
const USE_FLAGS = ['none']

const SETTINGS = [...CLUSTER_FLAGS, ...TIMEOUT_FLAGS, ...PLACE_FLAGS]

type Doc = ContextsDoc | SettingsDoc | ContextChangeDoc

export default class ContextCommand extends DiscoCommand {
  static override readonly readsContexts = false
  static override summary = 'Name connections to etcd, and choose one'
  static override description =
    'Manages contexts: add NAME stores the flags of a connection under a name; use NAME makes it the default, unless flags or variables name endpoints; ls lists the names; show prints every setting with its source; rm NAME removes a context. -C NAME chooses a context for one command. A project file, .disco.yaml, may name one as well. Credentials are sent only to the endpoints of their own context. The password is in a separate file, in a variable, or, with --password-file -, in the file of the contexts.'
  static override usage = '<%= command.id %> add|use|ls|show|rm [NAME] [FLAGS]'
  static override examples = [
    '<%= config.bin %> context add local --endpoints 127.0.0.1:2379',
    '<%= config.bin %> context show',
    '<%= config.bin %> context add prod --endpoints 10.0.0.1:2379 --production',
    '<%= config.bin %> context use prod',
    '<%= config.bin %> context rm local',
  ]
  static override args = {
    action: argument({ required: true, description: 'add, use, ls, show or rm' }),
    name: argument({ description: 'the name of a context' }),
  }
  static override flags = {
    ...placeFlags,
    'password-env': textFlag({
      helpValue: 'NAME',
      description: 'with add: variable that holds the password',
    }),
    production: Flags.boolean({ description: 'with add: commands ask before they change this cluster' }),
    force: Flags.boolean({ description: 'with add: replace a context of the same name' }),
    none: Flags.boolean({ description: 'with use: use no context' }),
  }

  async run(): Promise<Doc> {
    const { args, flags, metadata } = await this.parse(ContextCommand)
    const action = actionOf(args.action)
    const given = { flags: withoutFalse(flags), metadata }
    if (action !== 'add') refuseIneffective(given, ADD_FLAGS, `with context ${action}`)
    if (action !== 'use') refuseIneffective(given, USE_FLAGS, `with context ${action}`)
    if (action !== 'show') refuseIneffective(given, ['context'], `with context ${action}`)
    if (action !== 'add' && action !== 'show') refuseIneffective(given, SETTINGS, `with context ${action}`)
    const { requireConfigFile } = await import('../config/contexts.js')
    if (action === 'show') return await this.show(args.name, flags)
    const file = requireConfigFile(process.env)
    if (action === 'ls') return await this.list(args.name, file, flags)
    const { addContext, removeContext, useContext } = await import('../cli/context/change.js')
    if (action === 'use' && flags.none) {
      refuseName(args.name, 'use --none')
      return this.printChange(await useContext(file, null), flags)
    }
    const name = requireName(args.name, action)
    if (action === 'use') return this.printChange(await useContext(file, name), flags)
    if (action === 'rm') return this.printChange(await removeContext(file, name), flags)
    return this.printChange(await addContext(file, name, flags, { replaces: flags.force }), flags)
  }

  private async list(name: string | undefined, file: string, flags: ContextFlags): Promise<ContextsDoc> {
    refuseName(name, 'ls')
    const { readConfig } = await import('../config/contexts.js')
    const doc = contextsDoc(await readConfig(file))
    if (doc.contexts.length === 0) this.remark(`No contexts in ${visible(file)}`)
    return this.print(flags, doc, {
      table: (palette) => renderContexts(doc, palette),
      lines: () => doc.contexts,
      names: () => doc.contexts.map((context) => context.name),
    })
  }

  private async show(name: string | undefined, flags: ContextFlags): Promise<SettingsDoc> {
    if (name !== undefined && flags.context !== undefined) {
      throw new DiscoError('USAGE', 'The context is named twice: as an argument and by --context')
    }
    const layers = await this.readLayers({
      ...flags,
      context: name === undefined ? flags.context : readRegistryNames(name, 'NAME'),
    })
    const doc = settingsDoc(layers, await connectionSettings(layers), placeOf(layers, AUTO))
    const mark = this.palette(flags, process.stderr).yellow('!')
    if (doc.unused.length > 0) {
      this.remark(`${mark} Not used with these endpoints: ${doc.unused.join(', ')}`)
    }
    const missing = missingContextPassword(layers)
    if (missing !== null) this.remark(`${mark} ${visible(missing)}`)
    if (doc.production) this.remark(`${mark} production: commands ask before they change this cluster`)
    return this.print(flags, doc, {
      table: (palette) => renderSettings(doc, palette),
      lines: () => doc.settings,
      names: () => (doc.context === null ? [] : [doc.context]),
    })
  }

  private printChange(doc: ContextChangeDoc, flags: ContextFlags): ContextChangeDoc {
    const what = doc.change === 'unused' ? 'no context is used' : `context ${doc.name} ${doc.change}`
    return this.print(flags, doc, {
      table: (palette) => `${palette.green('✓')} ${what} (${visible(doc.file)})`,
      lines: () => [doc],
      names: () => (doc.name === null ? [] : [doc.name]),
    })
  }
}

type ContextFlags = BaseFlags & Interfaces.InferredFlags<typeof ContextCommand.flags>

function actionOf(text: string): ContextAction {
  const action = CONTEXT_ACTIONS.find((known) => known === text)
  if (action !== undefined) return action
  throw new DiscoError('USAGE', `Unknown action "${text}" of disco context`, {
    suggestions: nameSuggestions(text, CONTEXT_ACTIONS),
  })
}

function requireName(name: string | undefined, action: ContextAction): string {
  if (name !== undefined) return name
  throw new DiscoError('USAGE', `disco context ${action} needs NAME`, {
    suggestions: ['The names: disco context ls'],
  })
}

function refuseName(name: string | undefined, words: string): void {
  if (name !== undefined) throw new DiscoError('USAGE', `disco context ${words} takes no name: "${name}"`)
}
