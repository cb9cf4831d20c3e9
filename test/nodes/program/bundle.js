// Builds program.js beside it by each bundler, into one file each in out/, with nothing left outside.
import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import nodeResolve from '@rollup/plugin-node-resolve'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import webpack from 'webpack'

const esbuild = { entryPoints: ['program.js'], bundle: true, platform: 'node', target: 'node20' }
await build({ ...esbuild, format: 'cjs', outfile: 'out/esbuild.cjs' })
// grpc-js is CommonJS and requires modules of Node's, which an ES module cannot without this.
const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`
await build({ ...esbuild, format: 'esm', outfile: 'out/esbuild.mjs', banner: { js } })

const output = { path: `${import.meta.dirname}/out`, filename: 'webpack.cjs' }
const stats = await new Promise((resolve, reject) =>
  webpack({ mode: 'production', target: 'node20', entry: './program.js', output }, (error, result) =>
    error ? reject(error) : resolve(result),
  ),
)
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString())

const plugins = [nodeResolve({ preferBuiltins: true }), commonjs(), json()]
const bundle = await rollup({ input: 'program.js', plugins, onwarn: () => undefined })
await bundle.write({ file: 'out/rollup.mjs', format: 'es', inlineDynamicImports: true })
