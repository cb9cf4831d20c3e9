import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/powershell', import.meta.url))
const PACKAGES = ['web-tree-sitter@0.27.2', 'tree-sitter-powershell@0.26.4']

interface Parser {
  readonly Parser: {
    init(): Promise<void>
    new (): { setLanguage(language: unknown): void; parse(text: string): Tree }
  }
  readonly Language: { load(file: string): Promise<unknown> }
}

interface Tree {
  readonly rootNode: { readonly hasError: boolean; toString(): string }
}

/**
 * Parses a script with the tree-sitter grammar of PowerShell (downloaded once from npm), because neither npm nor Debian
 * has PowerShell.
 *
 * @returns whether the script has no syntax error, and the tree as an S-expression
 */
export async function parsePowerShell(
  script: string,
): Promise<{ readonly isValid: boolean; readonly tree: string }> {
  if (!existsSync(FOLDER)) {
    const flags = ['--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--no-save']
    execFileSync('npm', ['install', ...flags, '--prefix', FOLDER, ...PACKAGES], { stdio: 'pipe' })
  }
  const load = createRequire(join(FOLDER, 'package.json'))
  const { Parser, Language } = load('web-tree-sitter') as Parser
  await Parser.init()
  const parser = new Parser()
  const grammar = join(FOLDER, 'node_modules/tree-sitter-powershell/tree-sitter-powershell.wasm')
  parser.setLanguage(await Language.load(grammar))
  const { rootNode } = parser.parse(script)
  return { isValid: !rootNode.hasError, tree: rootNode.toString() }
}
