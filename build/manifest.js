import { Plugin } from '@oclif/core/config'

/**
 * Flags, arguments and texts of every command, by its id, from the compiled commands in dist/commands.
 */
export async function manifestOf(root) {
  const plugin = new Plugin({
    ignoreManifest: true,
    root,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  })
  await plugin.load()
  return plugin.manifest.commands
}
