import { Config } from '@oclif/core/config'
import { runCommandLine } from '../cli/words/command-line.js'
import { pluginOf, type Tool } from './plugin.js'

/**
 * Runs the command that `argv` names, all of whose code is in the bundle. Without oclif's own `run`, whose hooks are
 * found by the paths of their files.
 */
export async function run(tool: Tool, argv: string[]): Promise<void> {
  const plugin = pluginOf(tool)
  const { root, pjson } = tool
  await runCommandLine(argv, await Config.load({ root, pjson, plugins: new Map([[plugin.name, plugin]]) }))
}
