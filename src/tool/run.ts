import { Config } from '@oclif/core/config'
import { loadHelpClass, normalizeArgv } from '@oclif/core/help'
import { helpAddition, versionAddition } from '@oclif/core/run'
import { unknownCommand } from '../cli/command-not-found.js'
import { standardOutput } from '../cli/output/standard-output.js'
import { pluginOf, type Tool } from './plugin.js'

/**
 * Runs the command that `argv` names, all of whose code is in the bundle. As oclif's own `run`, without hooks: oclif
 * finds those by the paths of their files.
 */
export async function run(tool: Tool, argv: string[]): Promise<void> {
  const plugin = pluginOf(tool)
  const { root, pjson } = tool
  const config = await Config.load({ root, pjson, plugins: new Map([[plugin.name, plugin]]) })
  if (versionAddition(argv, config)) {
    standardOutput().writeLine(config.userAgent)
    return
  }
  if (helpAddition(argv, config)) {
    const Help = await loadHelpClass(config)
    await new Help(config, pjson.oclif.helpOptions).showHelp(argv)
    return
  }
  const [id = '', ...rest] = normalizeArgv(config, argv)
  const command = config.findCommand(id)
  if (!command) throw unknownCommand(id, config.commandIDs)
  await (await command.load()).run(rest, config)
}
