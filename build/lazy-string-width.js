const LAZY = `
let width
export default (text) => {
  width ??= require('string-width').default
  return width(text)
}
`

/**
 * An esbuild plugin that loads string-width when it first measures a text. Its regular expressions and `Intl.Segmenter`
 * take 10 ms. Every command may measure a text, but few texts need string-width.
 */
export const lazyStringWidthPlugin = {
  name: 'lazy-string-width',
  setup(build) {
    const { absWorkingDir: resolveDir } = build.initialOptions
    build.onResolve({ filter: /^string-width$/ }, ({ path, importer, namespace }) => {
      const isOurs = namespace === 'file' && !importer.includes('node_modules')
      return isOurs ? { path, namespace: 'lazy-string-width' } : undefined
    })
    build.onLoad({ filter: /.*/, namespace: 'lazy-string-width' }, () => ({ contents: LAZY, resolveDir }))
  },
}
