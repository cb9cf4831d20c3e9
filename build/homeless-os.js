const OS = `
const os = require('node:os')
const orElse = (ask, otherwise) => (...args) => {
  try {
    return ask(...args)
  } catch {
    return otherwise
  }
}
module.exports = { ...os, homedir: orElse(os.homedir, ''), userInfo: orElse(os.userInfo, { shell: null }) }
`

/**
 * An esbuild plugin that makes homedir() and userInfo() of node:os return a default instead of throwing. Node's functions
 * throw if HOME is not set and the user id has no entry in the password database, as in many containers. oclif and its
 * libraries call them at their start, and handle an empty home.
 */
export const homelessOsPlugin = {
  name: 'homeless-os',
  setup(build) {
    const { absWorkingDir: resolveDir } = build.initialOptions
    build.onResolve({ filter: /^(node:)?os$/ }, ({ importer, namespace }) => {
      if (namespace === 'homeless-os') return { path: 'node:os', external: true }
      return importer.includes('node_modules') ? { path: 'os', namespace: 'homeless-os' } : undefined
    })
    build.onLoad({ filter: /.*/, namespace: 'homeless-os' }, () => ({ contents: OS, resolveDir }))
  },
}
