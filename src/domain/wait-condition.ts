import { DiscoError } from './errors.js'

const OPERATORS = {
  '>=': (a: number, b: number) => a >= b,
  '<=': (a: number, b: number) => a <= b,
  '==': (a: number, b: number) => a === b,
  '!=': (a: number, b: number) => a !== b,
  '>': (a: number, b: number) => a > b,
  '<': (a: number, b: number) => a < b,
} as const

type Operator = keyof typeof OPERATORS

const INVERSE: Readonly<Record<Operator, Operator>> = {
  '>=': '<',
  '<=': '>',
  '==': '!=',
  '!=': '==',
  '>': '<=',
  '<': '>=',
}

export interface Comparison {
  readonly operator: Operator
  readonly number: number
}

/** A state of one endpoint. */
export type EndpointState = 'ready' | 'healthy' | 'drained'

/** The endpoints that a condition is about. */
export interface OfEndpoints {
  /** The address or key of the endpoints; null for all selected endpoints. */
  readonly addr: string | null
}

/** A state of a service to wait for. `all`: every endpoint has the state; `none`: no endpoint has it. */
export type WaitCondition =
  | ({ readonly kind: 'endpoints' | 'ready' | 'healthy' } & Comparison)
  | ({ readonly kind: 'weight' } & OfEndpoints & Comparison)
  | ({ readonly kind: 'registered' | 'gone' } & OfEndpoints)
  | ({ readonly kind: 'all' | 'none'; readonly state: EndpointState } & OfEndpoints)

const COMPARISON = String.raw`(>=|<=|==|!=|=|>|<)\s*`

/**
 * Reads a condition: `endpoints>=3`, `ready>=3`, `healthy>=3`, `weight==0`, `registered`, `gone`, `all ready`,
 * `all healthy`, `all drained`. A state or a weight may name an endpoint: `healthy ADDR`, `weight ADDR==0`. The prefix
 * `not` or `!` negates; `not healthy` means that no endpoint is healthy. A single `=` is equality.
 *
 * @param source the flag that contains the text, for the error
 * @throws DiscoError USAGE
 */
export function parseWaitCondition(text: string, source: string): WaitCondition {
  const [, negation, whole = ''] = /^\s*(not\s+|!\s*)?(.*?)\s*$/s.exec(text) ?? []
  // Refuses a trailing space, as in "gone $ADDR" with an empty variable: the condition would be about all endpoints.
  if (/^(registered|gone|ready|healthy|drained)$/.test(whole) && /\s$/.test(text))
    throw invalid(text, whole, source)
  const read = readCounted(whole) ?? readWeight(whole) ?? readState(whole, negation !== undefined)
  if (read === null) throw invalid(text, whole, source)
  return negation === undefined ? read : negated(read)
}

function readCounted(text: string): WaitCondition | null {
  const [, kind, operator, number] =
    new RegExp(String.raw`^(endpoints|ready|healthy)\s*${COMPARISON}(\d{1,9})$`).exec(text) ?? []
  if (kind === undefined) return null
  return { kind: kind as 'endpoints', operator: operatorOf(operator), number: Number(number) }
}

function readWeight(text: string): WaitCondition | null {
  const [, addr, operator, number] =
    new RegExp(String.raw`^weight(?:\s+([^\s<>=!]+)\s*)?${COMPARISON}(\d+(?:\.\d+)?)$`).exec(text) ?? []
  if (operator === undefined) return null
  return { kind: 'weight', addr: addr ?? null, operator: operatorOf(operator), number: Number(number) }
}

function readState(text: string, isNegated: boolean): WaitCondition | null {
  const [, all, state, addr = null] =
    /^(all\s+)?(registered|gone|ready|healthy|drained)(?:\s+(\S+))?$/.exec(text) ?? []
  // Refuses "not all ready", which is ambiguous: not every endpoint is ready, or no endpoint is.
  if (state === undefined || (all !== undefined && (addr !== null || isNegated))) return null
  if (state === 'ready' || state === 'healthy' || state === 'drained') return { kind: 'all', state, addr }
  return all === undefined ? { kind: state as 'registered' | 'gone', addr } : null
}

function negated(condition: WaitCondition): WaitCondition {
  switch (condition.kind) {
    case 'registered':
      return { ...condition, kind: 'gone' }
    case 'gone':
      return { ...condition, kind: 'registered' }
    case 'all':
    case 'none':
      return { ...condition, kind: 'none' }
    default:
      return { ...condition, operator: INVERSE[condition.operator] }
  }
}

function invalid(text: string, whole: string, source: string): DiscoError {
  const instead = EXAMPLES[whole] ?? EXAMPLES[whole.split('=', 1)[0] ?? '']
  return new DiscoError('USAGE', `Invalid condition "${text}" from ${source}`, {
    suggestions: [
      ...(instead === undefined ? [] : [instead]),
      "Expected endpoints>=3, ready>=3, healthy>=3, 'weight==0', registered, gone, drained, 'all healthy'; for one",
      "endpoint 'gone ADDR', 'healthy ADDR' or 'weight ADDR==0'; not before it negates",
    ],
  })
}

/**
 * Suggestions by invalid condition, or by its text before `=`. In a condition without quotes, a shell takes > for a
 * redirection, and a space for the end of the argument.
 */
const EXAMPLES: Readonly<Record<string, string>> = {
  endpoints: "Quote the whole condition: --for 'endpoints>=3'",
  weight: "Quote the whole condition: --for 'weight 1.2.3.4:1001==0'",
  // Conditions of kubectl wait.
  delete: 'Did you mean gone?',
  create: 'Did you mean registered?',
  condition: "Did you mean 'all ready'?",
}

/**
 * The error for `ready` or `healthy` without an endpoint. Without quotes, a shell reads `--for healthy>=3` as
 * `--for healthy` with a redirection to a file named `=3`.
 */
export function ambiguousState(state: string): DiscoError {
  return new DiscoError('USAGE', `Invalid condition "${state}" from --for`, {
    suggestions: [
      `Quote the whole condition: --for '${state}>=3'`,
      `For every endpoint: --for 'all ${state}'; for one: disco wait SERVICE ADDR --for ${state}`,
    ],
  })
}

/** The condition as a user writes it: `ready>=3`, `all healthy`, `gone 1.2.3.4:1001`. */
export function formatWaitCondition(condition: WaitCondition): string {
  if ('state' in condition) {
    const { kind, state, addr } = condition
    if (kind === 'none') return `not ${withAddr(state, condition)}`
    return addr === null ? `all ${state}` : withAddr(state, condition)
  }
  if (!('operator' in condition)) return withAddr(condition.kind, condition)
  const { kind, operator, number } = condition
  return `${kind === 'weight' ? withAddr(kind, condition) : kind}${operator}${number}`
}

function withAddr(word: string, { addr }: OfEndpoints): string {
  return addr === null ? word : `${word} ${addr}`
}

/** The address or key that a condition names; null if the condition is about all selected endpoints. */
export function namedIn(condition: WaitCondition): string | null {
  return 'addr' in condition ? condition.addr : null
}

/** Whether judging the condition needs connections to the endpoints. */
export function needsConnections(condition: WaitCondition): boolean {
  if ('state' in condition) return condition.state !== 'drained'
  return condition.kind === 'ready' || condition.kind === 'healthy'
}

/** Whether a value meets a comparison. */
export function compare(value: number, { operator, number }: Comparison): boolean {
  return OPERATORS[operator](value, number)
}

/** Whether a comparison is a lower bound: if a value meets it, every larger value does. */
export function isAtLeast({ operator }: Comparison): boolean {
  return operator === '>=' || operator === '>'
}

function operatorOf(text: string | undefined): Operator {
  return text === '=' || text === undefined ? '==' : (text as Operator)
}
