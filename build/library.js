// Bundles libraries that programs do not install into the files of dist/ that import them. Runs after tsc, before
// bundle.js.
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { etcdDefinitionPlugin } from './etcd-definition.js'
import { noticesOf } from './notices.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * An esbuild plugin that turns the require() calls of etcd3's CommonJS code for other packages into imports, because an
 * ES module has no require().
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

/** Bundles one source file with the library that it imports, and writes the licences beside the result. */
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
    // etcd3 uses it in the path of its .proto file, which is not read.
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
