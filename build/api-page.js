// Writes docs/api.md: the exports of each entry point of the package, from their declarations in dist/. Runs after tsc.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Entry points by the name under which programs import them. */
const ENTRIES = {
  'disco-registry': 'dist/index.d.ts',
  'disco-registry/grpc': 'dist/grpc.d.ts',
  'disco-registry/policies': 'dist/policies/index.d.ts',
}

const HEAD = `# API

<!-- Written by npm run docs from the declarations and docstrings of the source. Do not edit. -->

The exports of the three entry points, with their docstrings. The name of a time ends in its unit. The docstring of a
function that can fail names the codes of the \`DiscoError\` that it throws.
`

/** Returns the page, and the names of types that exported declarations mention but no entry point exports. */
export function apiPage() {
  const files = Object.values(ENTRIES).map((path) => ROOT + path)
  const program = ts.createProgram(files, { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023 })
  const checker = program.getTypeChecker()
  const entries = Object.entries(ENTRIES).map(([name, path]) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(ROOT + path))
    const symbols = checker.getExportsOfModule(module).map((symbol) => {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
      return { name: symbol.name, symbol: isAlias ? checker.getAliasedSymbol(symbol) : symbol }
    })
    return { name, symbols: symbols.sort((a, b) => (a.name < b.name ? -1 : 1)) }
  })
  const exported = new Set(entries.flatMap(({ symbols }) => symbols.map(({ symbol }) => symbol)))
  const missing = new Set()
  for (const { symbol } of entries.flatMap(({ symbols }) => symbols)) {
    for (const declaration of symbol.declarations) {
      for (const name of mentions(checker, declaration, exported)) missing.add(name)
    }
  }
  const sections = entries.map(({ name, symbols }) => {
    const links = symbols.map((each) => `[${each.name}](#${anchor(each.name)})`).join(', ')
    const texts = symbols.map((each) => section(checker, each))
    return `## \`${name}\`\n\n${links}\n\n${texts.join('\n')}`
  })
  return { page: `${HEAD}\n${sections.join('\n')}`, missing: [...missing].sort() }
}

function anchor(name) {
  return name.toLowerCase()
}

/** The section of one export: its docstring, its declaration with the docstrings of its members, and its examples. */
function section(checker, { name, symbol }) {
  const words = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  const tags = symbol.getJsDocTags(checker)
  const lines = tags.flatMap(({ name: tag, text }) => {
    const value = ts.displayPartsToString(text)
    if (tag === 'throws') return [`- Throws ${value}`]
    if (tag === 'returns') return [`- Returns ${value}`]
    return tag === 'param' ? [`- \`${value.replace(/ |$/, '`: ')}`.replace(/: $/, '')] : []
  })
  const examples = tags
    .filter((tag) => tag.name === 'example')
    .map(({ text }) => fence(ts.displayPartsToString(text)))
  const code = symbol.declarations
    .map((declaration) => declarationText(checker, symbol, declaration))
    .join('\n')
  const parts = [`### ${name}`, words, lines.join('\n'), fence(code), ...examples]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function fence(code) {
  const text = code.trim()
  return text.startsWith('```') ? text : `\`\`\`ts\n${text}\n\`\`\``
}

/** A declaration without private and internal members. A union of literals is written out. */
function declarationText(checker, symbol, declaration) {
  if (ts.isTypeAliasDeclaration(declaration) && isComputed(declaration.type)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol)
    const full = checker.typeToString(
      type,
      undefined,
      ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias,
    )
    return `type ${symbol.name} = ${full.replaceAll('"', "'")}`
  }
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const source = node.getSourceFile()
  const hidden = hiddenMembers(node)
  const start = node.getStart(source)
  let text = ''
  let at = start
  for (const member of hidden) {
    text += source.text.slice(at, member.getFullStart())
    at = member.getEnd()
  }
  text += source.text.slice(at, node.getEnd())
  return text
    .replace(/^export declare /, '')
    .replace(/^export /, '')
    .replace(/^ {4}/gm, '  ')
    .replaceAll(';\n', '\n')
    .replace(/;$/, '')
}

/** Whether a type is `keyof T` or `T[K]`. */
function isComputed(type) {
  return ts.isTypeOperatorNode(type) || ts.isIndexedAccessTypeNode(type)
}

function hiddenMembers(node) {
  return (node.members ?? []).filter((member) => {
    const isPrivate =
      ts.canHaveModifiers(member) &&
      ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
    const isInternal = ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal')
    const isUnusable = ts.isConstructorDeclaration(member)
    return isPrivate || isInternal || (isUnusable && isPrivateOnly(node))
  })
}

/** Whether programs do not construct the class themselves, but get its instances from functions. */
function isPrivateOnly(node) {
  return ts.isClassDeclaration(node) && node.name?.text !== 'DiscoError'
}

/** The types of this package that a declaration mentions but no entry point exports. */
function mentions(checker, declaration, exported) {
  const found = new Set()
  const hidden = new Set(hiddenMembers(declaration))
  const visit = (node) => {
    if (hidden.has(node)) return
    if (
      ts.isIdentifier(node) &&
      (ts.isTypeReferenceNode(node.parent) || ts.isExpressionWithTypeArguments(node.parent))
    ) {
      const seen = checker.getSymbolAtLocation(node)
      const symbol = seen && seen.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(seen) : seen
      const home = symbol?.declarations?.[0]?.getSourceFile().fileName ?? ''
      const isParameter = symbol && symbol.flags & ts.SymbolFlags.TypeParameter
      if (home.startsWith(`${ROOT}dist/`) && !isParameter && !exported.has(symbol)) found.add(symbol.name)
    }
    ts.forEachChild(node, visit)
  }
  visit(declaration)
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(`${ROOT}docs/api.md`, apiPage().page)
}
