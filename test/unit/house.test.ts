import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const TABLE = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8')

/** The imports that each folder of src/ is allowed, from the table in CONTRIBUTING.md: folders of src/, then libraries. */
const HOUSE = new Map([
  ...roomsOf(TABLE),
  ['index.ts', ['domain', 'registry', 'agent']],
  ['grpc.ts', ['domain', 'registry', 'grpc']],
])

function roomsOf(table: string): [room: string, allowed: string[]][] {
  const rows = table.split('\n').flatMap((line) => {
    const [, room] = /^\| `(\w+)\/` /.exec(line) ?? []
    return room === undefined ? [] : [{ room, cells: line.split('|').slice(3, 5) }]
  })
  return rows.map(({ room, cells }, at) => {
    const named = cells.flatMap((cell) => cell.split(',').map((name) => name.trim())).filter(Boolean)
    const below = rows.slice(at + 1).map((row) => row.room)
    return [room, named.flatMap((name) => (name === 'all below' ? below : [name]))]
  })
}

/** No I/O, no clock, no randomness: not even Node's own modules. */
const PURE = ['domain', 'policies', 'stats']

/** The forbidden imports of a file, one sentence each. `file` is relative to src/. */
function violations(file: string, source: string): string[] {
  const [room = ''] = file.split('/')
  const allowed = HOUSE.get(room)
  if (!allowed) return [`${file} is in a folder that the house lacks`]
  return importsOf(file, source).flatMap((specifier) => {
    if (specifier === null) return [`${file} has an import that is only known at run time`]
    const target = targetOf(file, specifier)
    const isAllowed = target === 'node:' ? !PURE.includes(room) : target === room || allowed.includes(target)
    return isAllowed ? [] : [`${file} imports ${specifier}`]
  })
}

/** Every module that the file names, statically, dynamically, by type or by re-export; null where it computes one. */
function importsOf(file: string, source: string): (string | null)[] {
  const found: (string | null)[] = []
  const note = (node: ts.Node | undefined) => {
    if (node) found.push(ts.isStringLiteralLike(node) ? node.text : null)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) note(node.moduleSpecifier)
    else if (ts.isExternalModuleReference(node)) note(node.expression)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) note(node.argument.literal)
    else if (ts.isCallExpression(node)) {
      const { expression } = node
      const isRequire = ts.isIdentifier(expression) && expression.text === 'require'
      if (isRequire || expression.kind === ts.SyntaxKind.ImportKeyword) note(node.arguments[0])
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest))
  return found
}

/** A folder of src/, the name of a package, or `node:`. */
function targetOf(file: string, specifier: string): string {
  if (isBuiltin(specifier)) return 'node:'
  if (specifier.startsWith('.')) {
    const [room = ''] = posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts').split('/')
    return room
  }
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const SRC = fileURLToPath(new URL('../../src', import.meta.url))
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))

describe('the imports of src/', () => {
  it('are checked in more than 50 files', () => {
    expect(files.length).toBeGreaterThan(50)
  })

  it('follow the allowed imports', () => {
    expect(files.flatMap((file) => violations(file, readFileSync(join(SRC, file), 'utf8')))).toEqual([])
  })
})

describe('the allowed imports between folders', () => {
  it('point only downwards', () => {
    const rooms = [...HOUSE.keys()].filter((room) => !room.endsWith('.ts'))
    expect(rooms).toContain('domain')
    for (const [at, room] of rooms.entries()) {
      const upwards = HOUSE.get(room)?.filter((target) => rooms.slice(0, at + 1).includes(target))
      expect(upwards, room).toEqual([])
    }
  })
})

describe('the import check', () => {
  it.each([
    ['a folder above', 'domain/x.ts', `import { a } from '../etcd/client.js'`, '../etcd/client.js'],
    ['a type', 'grpc/x.ts', `import type { A } from '../registry/registry.js'`, '../registry/registry.js'],
    ['a side effect', 'stats/x.ts', `import '../policies/index.js'`, '../policies/index.js'],
    ['a re-export', 'policies/x.ts', `export * from '../stats/verdict.js'`, '../stats/verdict.js'],
    ['a named re-export', 'domain/layouts/x.ts', `export {\n  a,\n} from '../../cli/x.js'`, '../../cli/x.js'],
    ['a dynamic import', 'call/x.ts', `const a = await import('../registry/a.js')`, '../registry/a.js'],
    ['an inline type', 'call/x.ts', `let a: import('../registry/a.js').A`, '../registry/a.js'],
    ['a require', 'call/x.ts', `const a = require('chalk')`, 'chalk'],
    ['a library of another folder', 'registry/x.ts', `import { Etcd3 } from 'etcd3'`, 'etcd3'],
    [
      'a path in such a library',
      'cli/x.ts',
      `import x from '@bufbuild/protobuf/wkt'`,
      '@bufbuild/protobuf/wkt',
    ],
    ["Node's modules where all is pure", 'domain/x.ts', `import fs from 'node:fs'`, 'node:fs'],
    ["Node's modules without their prefix", 'policies/x.ts', `import fs from 'fs'`, 'fs'],
    ['the library face', 'cli/x.ts', `import { a } from '../index.js'`, '../index.js'],
    ['more than the library face may', 'index.ts', `export * from './grpc/install.js'`, './grpc/install.js'],
    ['out of src', 'commands/x.ts', `import x from '../../package.json'`, '../../package.json'],
  ])('finds %s', (_, file, source, specifier) => {
    expect(violations(file, source)).toEqual([`${file} imports ${specifier}`])
  })

  it('reports each of several violations, an unknown folder, and a computed import', () => {
    expect(violations('domain/x.ts', `import 'chalk'\nimport 'etcd3'`)).toHaveLength(2)
    expect(violations('utils/x.ts', '')).toEqual(['utils/x.ts is in a folder that the house lacks'])
    expect(violations('cli/x.ts', 'await import(name)')).toEqual([
      'cli/x.ts has an import that is only known at run time',
    ])
  })

  it.each([
    ['its own folder', 'domain/layouts/x.ts', `import { a } from '../address.js'`],
    ['a folder below', 'commands/x.ts', `const { a } = await import('../cli/terminal/table.js')`],
    [
      'its library, and a path in it',
      'grpc/x.ts',
      `import a from '@grpc/grpc-js'\nimport '@bufbuild/protobuf/wkt'`,
    ],
    ["Node's modules", 'etcd/x.ts', `import { readFile } from 'node:fs/promises'`],
    ['what comments and strings name', 'domain/x.ts', `// import 'chalk'\nconst a = "import 'chalk'"`],
  ])('allows %s', (_, file, source) => {
    expect(violations(file, source)).toEqual([])
  })
})
