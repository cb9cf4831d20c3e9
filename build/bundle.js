// Writes dist/bundle/: the command line as one file, and a small file that starts it. Runs after tsc.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { etcdDefinitionPlugin } from './etcd-definition.js'
import { homelessOsPlugin } from './homeless-os.js'
import { lazyStringWidthPlugin } from './lazy-string-width.js'
import { manifestOf } from './manifest.js'
import { noticesOf } from './notices.js'
import { oclifPartsPlugin } from './oclif-parts.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const outdir = join(root, 'dist/bundle')
const { name, version, description, oclif } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const manifest = await manifestOf(root)

const entry = `
import * as cli from './src/cli/main.js'
import { run } from './src/tool/run.js'

const tool = {
  root: __dirname,
  pjson: ${JSON.stringify({ name, version, description, oclif: { ...oclif, plugins: [], hooks: {} } })},
  manifest: ${JSON.stringify(manifest)},
  load: {
    ${Object.keys(manifest)
      .map((id) => `${id}: async () => (await import('./src/commands/${id}.js')).default,`)
      .join('\n    ')}
  },
}
export const main = () => cli.main((argv) => run(tool, argv))
`

const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  // The launcher reads the file as Latin-1, which is quicker than UTF-8.
  charset: 'ascii',
  minifyWhitespace: true,
  legalComments: 'none',
  // A script that is compiled from the code cache has no import(): external modules are loaded by require().
  supported: { 'dynamic-import': false },
  outdir,
  outExtension: { '.js': '.cjs' },
  logLevel: 'warning',
}
await build({ ...options, entryPoints: [join(root, 'src/tool/start.ts')] })
const { metafile } = await build({
  ...options,
  stdin: { contents: entry, resolveDir: root, sourcefile: 'entry.js' },
  outdir: undefined,
  outfile: join(outdir, 'disco.cjs'),
  outExtension: undefined,
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  // Optional parts of oclif and its libraries, for commands in TypeScript.
  external: ['typescript', 'ts-node', 'tsx', 'pnpapi'],
  plugins: [etcdDefinitionPlugin, homelessOsPlugin, lazyStringWidthPlugin, oclifPartsPlugin],
})
// esbuild escapes non-ASCII characters in strings, but not in regular expressions.
const bundle = join(outdir, 'disco.cjs')
const code = await readFile(bundle, 'utf8')
await writeFile(
  bundle,
  code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
)
const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) =>
  Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
)
await writeFile(join(outdir, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(root, inputs))
