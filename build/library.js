// Replaces dist/etcd/etcd3.js, which imports etcd3, by one with etcd3's code in it. After tsc, before bundle.js.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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
    build.onResolve({ filter: /^(@grpc\/grpc-js|cockatiel|node:.*|events|stream)$/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, namespace: 'imports' } : { path, external: true },
    )
    build.onLoad({ filter: /.*/, namespace: 'imports' }, ({ path }) => ({
      contents: `export * from '${path}'`,
    }))
  },
}

const outfile = join(root, 'dist/etcd/etcd3.js')
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/etcd/etcd3.ts'],
  outfile,
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
  join(root, 'dist/etcd/THIRD-PARTY-NOTICES.txt'),
  await noticesOf(root, Object.keys(metafile.inputs)),
)
