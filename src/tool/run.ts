import { Config } from '@oclif/core/config'
import { runCommandLine } from '../cli/words/command-line.js'
import { pluginOf, type Tool } from './plugin.js'

/** Runs the command in `argv` from the bundle. It replaces oclif's own `run`. */
export async function run(tool: Tool, argv: string[]): Promise<void> {
  const plugin = pluginOf(tool)
  const { root, pjson } = tool
  await runCommandLine(argv, await Config.load({ root, pjson, plugins: new Map([[plugin.name, plugin]]) }))
}
