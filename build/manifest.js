import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Plugin } from '@oclif/core/config'

/**
 * Flags, arguments and texts of every command, by its id: from the compiled ones below dist/commands, and from the
 * manifest that oclif's own help command brings along.
 */
export async function manifestOf(root) {
  const plugin = new Plugin({
    ignoreManifest: true,
    root,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  })
  await plugin.load()
  const help = dirname(createRequire(import.meta.url).resolve('@oclif/plugin-help'))
  const { commands } = JSON.parse(await readFile(join(help, '../oclif.manifest.json'), 'utf8'))
  return { ...plugin.manifest.commands, ...commands }
}
