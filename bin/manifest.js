// Writes oclif.manifest.json, so that a run loads the one command it was asked for and no other.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Plugin } from '@oclif/core/config'

const root = fileURLToPath(new URL('..', import.meta.url))
const plugin = new Plugin({
  ignoreManifest: true,
  root,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
})
await plugin.load()
await writeFile(`${root}/oclif.manifest.json`, JSON.stringify(plugin.manifest))
