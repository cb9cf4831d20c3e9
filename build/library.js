// Replaces the files of dist/ that import a library which programs do not install by ones with its code in them. After
// tsc, before bundle.js.
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { etcdDefinitionPlugin } from './etcd-definition.js'
import { noticesOf } from './notices.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * An esbuild plugin: what etcd3's CommonJS requires of other packages becomes an import, because an ES module has no
 * require().
 */
const importsPlugin = {
  name: 'imports',
  setup(build) {
    build.onResolve(
      { filter: /^(@grpc\/grpc-js|cockatiel|node:.*|events|stream|process|buffer)$/ },
      ({ path, kind }) =>
        kind === 'require-call' ? { path, namespace: 'imports' } : { path, external: true },
    )
    build.onLoad({ filter: /.*/, namespace: 'imports' }, ({ path }) => ({
      contents: `export * from '${path}'`,
    }))
  },
}

/** Bundles one file of dist/ with the library that it imports, and writes the licences beside it. */
async function bundle(entry, outfile) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(root, outfile),
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'warning',
    // Part of the path of the .proto file, which is not read.
    define: { __dirname: '""' },
    metafile: true,
    plugins: [importsPlugin, etcdDefinitionPlugin],
  })
  await writeFile(
    join(root, dirname(outfile), 'THIRD-PARTY-NOTICES.txt'),
    await noticesOf(root, Object.keys(metafile.inputs)),
  )
}

await bundle('src/etcd/etcd3.ts', 'dist/etcd/etcd3.js')
await bundle('src/config/yaml.ts', 'dist/config/yaml.js')
