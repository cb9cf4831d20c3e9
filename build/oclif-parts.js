const PARTS = `
export * as Args from '@oclif/core/args'
export { Command } from '@oclif/core/command'
export * as Errors from '@oclif/core/errors'
export * as Flags from '@oclif/core/flags'
export { CommandHelp, Help } from '@oclif/core/help'
`

/**
 * An esbuild plugin that bundles only the parts of oclif that commands use. oclif's index loads all parts, and reads files
 * of its package. A part that commands import but PARTS lacks fails the build.
 */
export const oclifPartsPlugin = {
  name: 'oclif-parts',
  setup(build) {
    const { absWorkingDir: resolveDir } = build.initialOptions
    build.onResolve({ filter: /^@oclif\/core$/ }, ({ path }) => ({ path, namespace: 'oclif-parts' }))
    build.onLoad({ filter: /.*/, namespace: 'oclif-parts' }, () => ({ contents: PARTS, resolveDir }))
  },
}
