import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
}

interface Documented {
  readonly name: string
  readonly isValue: boolean
  readonly text: string
  readonly examples: readonly string[]
}

const own = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  exports: Record<string, { types?: string }>
}
const entryPoints = Object.values(own.exports).flatMap(({ types }) => (types ? [`${ROOT}${types}`] : []))
const program = ts.createProgram(entryPoints, OPTIONS)
const documented = entryPoints.flatMap((path) => exportsOf(path))
const examples = documented.flatMap(({ name, examples }) =>
  examples.map((code, at) => ({ file: `${ROOT}example-of-${name}-${at}.ts`, code })),
)

/** The public exports of an entry point, each with the documentation in its declaration. */
function exportsOf(path: string): Documented[] {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(path) as ts.SourceFile)
  return checker.getExportsOfModule(module as ts.Symbol).map((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const tags = symbol.getJsDocTags(checker).filter(({ name }) => name === 'example')
    return {
      name: exported.name,
      isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0,
      text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
      examples: tags.map(({ text }) => codeIn(ts.displayPartsToString(text))),
    }
  })
}

function codeIn(example: string): string {
  return /^```ts\n(.*)\n```$/s.exec(example.trim())?.[1] ?? ''
}

/** Errors from compiling modules inside the package folder, where `disco-registry` resolves to this package. */
function errorsIn(modules: readonly { readonly file: string; readonly code: string }[]): string[] {
  const codes = new Map(modules.map(({ file, code }) => [file, code]))
  const host = ts.createCompilerHost(OPTIONS)
  const { fileExists, readFile } = host
  host.fileExists = (path) => codes.has(path) || fileExists(path)
  host.readFile = (path) => codes.get(path) ?? readFile(path)
  const compiled = ts.createProgram([...codes.keys()], OPTIONS, host)
  return ts
    .getPreEmitDiagnostics(compiled)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName.replace(ROOT, '')}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
}

test('every public export has a docstring, and every function, class and constant an example', () => {
  expect(documented.length).toBeGreaterThan(0)
  expect(documented.filter(({ text }) => text === '').map(({ name }) => name)).toEqual([])
  const lacking = documented.filter(({ isValue, examples }) => isValue && examples.join('') === '')
  expect(lacking.map(({ name }) => name)).toEqual([])
})

test('every example compiles under strict TypeScript', () => {
  expect(examples.map(({ file, code }) => (code === '' ? file : ''))).toEqual(examples.map(() => ''))
  expect(errorsIn(examples)).toEqual([])
})

test('a compile error is reported for an example that does not match the library', () => {
  const code = "import { register } from 'disco-registry'\nawait register({ service: 'hello', addr: 1001 })\n"
  expect(errorsIn([{ file: `${ROOT}example-with-an-error.ts`, code }])).toEqual([
    expect.stringContaining("Type 'number' is not assignable to type"),
  ])
})
