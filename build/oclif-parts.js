const PARTS = `
export * as Args from '@oclif/core/args'
export { Command } from '@oclif/core/command'
export * as Errors from '@oclif/core/errors'
export * as Flags from '@oclif/core/flags'
export { CommandHelp, Help } from '@oclif/core/help'
`

/**
 * An esbuild plugin: only the parts of oclif that commands use. Its index loads the rest as well, and looks at files of
 * its own. An import that is missing here fails the build.
 */
export const oclifPartsPlugin = {
  name: 'oclif-parts',
  setup(build) {
    const { absWorkingDir: resolveDir } = build.initialOptions
    build.onResolve({ filter: /^@oclif\/core$/ }, ({ path }) => ({ path, namespace: 'oclif-parts' }))
    build.onLoad({ filter: /.*/, namespace: 'oclif-parts' }, () => ({ contents: PARTS, resolveDir }))
  },
}
