import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, it } from 'vitest'

const SRC = new URL('../../src/', import.meta.url)

/** Every use of `AbortSignal.timeout`, however it is spelled: by a dot, by brackets, or taken apart. */
function timeouts(file: string, source: string): string[] {
  const found: string[] = []
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const isSignal = (node: ts.Node | undefined) => node?.getText(tree) === 'AbortSignal'
  const visit = (node: ts.Node): void => {
    const isNamed =
      ts.isPropertyAccessExpression(node) && isSignal(node.expression) && node.name.text === 'timeout'
    const isHidden =
      (ts.isElementAccessExpression(node) && isSignal(node.expression)) ||
      (ts.isVariableDeclaration(node) && isSignal(node.initializer))
    if (isNamed || isHidden) {
      found.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

it('no deadline uses AbortSignal.timeout, which garbage collection may remove: use grpc/deadline.ts', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const found = files.flatMap((file) => timeouts(file, readFileSync(new URL(file, SRC), 'utf8')))
  expect(found).toEqual([])
})

it.each([
  'const s = AbortSignal.any([stop, AbortSignal.timeout(5)])',
  "const s = AbortSignal['timeout'](5)",
  'const { timeout } = AbortSignal',
  'const Signal = AbortSignal',
])('finds %s', (source) => {
  expect(timeouts('some.ts', source)).toEqual(['some.ts:1'])
})
