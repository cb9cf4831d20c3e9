import type { Command, Interfaces } from '@oclif/core'
import { Config } from '@oclif/core/config'
import { runCommandLine } from '../cli/words/command-line.js'

/** Runs the command in `argv` from the bundle. It replaces oclif's own `run`. */
export async function run(tool: Tool, argv: string[]): Promise<void> {
  const plugin = pluginOf(tool)
  const { root, pjson } = tool
  await runCommandLine(argv, await Config.load({ root, pjson, plugins: new Map([[plugin.name, plugin]]) }))
}

/** Data that the build puts into the bundle, so that start-up searches and parses no file. */
export interface Tool {
  /** Folder of the bundle. */
  readonly root: string
  readonly pjson: Interfaces.PJSON
  /** Flags, arguments and texts of every command, by id: enough for help, without loading a command. */
  readonly manifest: Readonly<Record<string, Command.Cached>>
  readonly load: Readonly<Record<string, () => Promise<Command.Class>>>
}

/**
 * A plugin of oclif whose commands are functions of the bundle. oclif's own plugin looks for the files of commands,
 * which a bundle does not have.
 */
export function pluginOf({ root, pjson, manifest, load }: Tool): Interfaces.Plugin {
  const findCommand = async (id: string): Promise<Command.Class> => {
    const loaded = await load[id]?.()
    if (loaded === undefined) throw new Error(`Command ${id} is not in the bundle`)
    return Object.assign(loaded, { id, plugin })
  }
  const plugin: Interfaces.Plugin = {
    _base: pjson.name,
    alias: pjson.name,
    name: pjson.name,
    version: pjson.version,
    root,
    pjson,
    isRoot: true,
    type: 'core',
    moduleType: 'module',
    valid: true,
    hasManifest: true,
    hooks: {},
    topics: [],
    options: { root },
    commandsDir: undefined,
    commandIDs: Object.keys(manifest),
    commands: Object.entries(manifest).map(([id, cached]) => ({ ...cached, load: () => findCommand(id) })),
    findCommand,
    load: async () => undefined,
  }
  return plugin
}
