import type { Command, Interfaces } from '@oclif/core'
import { CONTEXT_ACTIONS } from '../context/actions.js'
import { OUTPUTS } from '../output/format.js'
import { commandNamed } from '../words/command-line.js'
import { type FlagDefinitions, readWords } from '../words/words.js'
import { SHELLS } from './scripts.js'

/** Kinds of values for which the completion can list candidates, or let the shell list files. */
export type ValueKind =
  | 'service'
  | 'address'
  | 'host'
  | 'version'
  | 'selector'
  | 'method'
  | 'context'
  | 'layout'
  | 'policy'
  | 'subject'
  | 'file'

/** The kind of word at the cursor. */
export type ExpectedWord =
  | { readonly kind: 'command' }
  | { readonly kind: 'flag'; readonly command: Command.Loadable }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: ValueKind }
  | { readonly kind: 'nothing' }

/** The word to complete, and the words before the cursor that its candidates depend on. */
export interface Position {
  readonly expected: ExpectedWord
  /** The part of the word to complete: after `--flag=`, and after the last comma of a list. */
  readonly typed: string
  /** The part of the word before `typed`. */
  readonly prefix: string
  /** The service that the command line names; undefined if it names none. */
  readonly service: string | undefined
  /** The flags that precede the word, by name, with the values of those that take one. */
  readonly flags: ReadonlyMap<string, readonly (string | undefined)[]>
}

const NOTHING: ExpectedWord = { kind: 'nothing' }

/** Arguments by command. Commands that are not listed take a service, then addresses of its endpoints. */
const ARGUMENTS: Readonly<Record<string, readonly ExpectedWord[]>> = {
  call: [{ kind: 'service' }, { kind: 'method' }, NOTHING],
  completion: [{ kind: 'choice', choices: SHELLS }, NOTHING],
  context: [{ kind: 'choice', choices: CONTEXT_ACTIONS }, { kind: 'context' }, NOTHING],
  export: [{ kind: 'service' }],
  help: [{ kind: 'subject' }, NOTHING],
  proxy: [{ kind: 'service' }],
  register: [{ kind: 'service' }, NOTHING],
  xds: [{ kind: 'service' }],
}

/** The kinds of values, by the name of the flag. */
const VALUES: Readonly<Record<string, ValueKind>> = {
  against: 'context',
  call: 'method',
  canary: 'selector',
  context: 'context',
  host: 'host',
  layout: 'layout',
  pin: 'address',
  'pin-fallback': 'policy',
  policy: 'policy',
  selector: 'selector',
  service: 'service',
  version: 'version',
  without: 'address',
}

/** Kinds whose values may be a list with commas. */
const LISTS: ReadonlySet<ExpectedWord['kind']> = new Set(['context', 'policy', 'selector'])

/**
 * Finds the kind of word at the cursor.
 *
 * @param words from `wordsOf`; the last is the word to complete
 */
export function positionIn(words: readonly string[], config: Interfaces.Config): Position {
  const before = words.slice(0, -1)
  const word = words.at(-1) ?? ''
  const all: FlagDefinitions = Object.assign({}, ...config.commands.map(({ flags }) => flags))
  const first = [...readWords(before, all)].find((one) => one.kind === 'argument')
  const command = first?.kind === 'argument' ? commandNamed(first.text, config) : undefined
  const definitions = command?.flags ?? all
  const read = [...readWords(before, definitions)]
  const [, ...args] = read.flatMap((one) => (one.kind === 'argument' ? [one.text] : []))
  const flags = new Map<string, (string | undefined)[]>()
  for (const one of read)
    if (one.kind === 'flag') flags.set(one.name, [...(flags.get(one.name) ?? []), one.value])
  const at = (expected: ExpectedWord, prefix = ''): Position => {
    const rest = word.slice(prefix.length)
    const list = LISTS.has(expected.kind) ? rest.lastIndexOf(',') + 1 : 0
    const service = serviceIn(args[0])
    return { expected, typed: rest.slice(list), prefix: prefix + rest.slice(0, list), service, flags }
  }
  // After `--`, all words belong to another command.
  if (before.includes('--')) return at({ kind: 'file' })
  if (first !== undefined && command === undefined) return at(NOTHING)
  const last = read.at(-1)
  if (last?.kind === 'flag' && last.value === undefined && definitions[last.name]?.type === 'option') {
    return at(flagValue(last.name, command, config))
  }
  const [attached, name] = /^--([\w-]+)=/.exec(word) ?? []
  if (attached !== undefined && name !== undefined) return at(flagValue(name, command, config), attached)
  if (command === undefined) return at(word.startsWith('-') ? NOTHING : { kind: 'command' })
  if (word.startsWith('-')) return at({ kind: 'flag', command })
  return at(argumentOf(command, args.length))
}

function argumentOf(command: Command.Loadable, index: number): ExpectedWord {
  const own = ARGUMENTS[command.id]
  if (own) return own[Math.min(index, own.length - 1)] ?? NOTHING
  const args = Object.values(command.args)
  const isRepeated = args.some(({ multiple }) => multiple)
  if (index >= args.length && !isRepeated) return NOTHING
  return index === 0 ? { kind: 'service' } : { kind: 'address' }
}

function flagValue(
  name: string,
  command: Command.Loadable | undefined,
  config: Interfaces.Config,
): ExpectedWord {
  const flag = (command ?? config.commands[0])?.flags[name]
  if (flag?.type !== 'option') return NOTHING
  if (name === 'output') return { kind: 'choice', choices: OUTPUTS }
  const kind = VALUES[name]
  if (kind) return { kind }
  const { helpValue = '' } = flag
  const text = String(helpValue)
  if (/^(?:FILE|DIR)\b/.test(text) || text.includes('@FILE')) return { kind: 'file' }
  if (/^[a-z]\w*(?:\|[a-z]\w*)+$/.test(text)) return { kind: 'choice', choices: text.split('|') }
  return NOTHING
}

/** The service of a TARGET: a bare name, `etcd:///NAME` or `etcd://VERSION/NAME`. */
function serviceIn(target: string | undefined): string | undefined {
  const [, name] = /^(?:etcd:\/\/[^/]*\/)?([^?:]+)/.exec(target ?? '') ?? []
  return name
}
