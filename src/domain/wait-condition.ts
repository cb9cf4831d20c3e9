import type { Endpoint } from './endpoint.js'
import { isNamed } from './endpoint-filter.js'
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

interface Comparison {
  readonly operator: Operator
  readonly number: number
}

/** A state of a service to wait for. */
export type WaitCondition =
  | ({ readonly kind: 'endpoints' | 'ready' | 'healthy' } & Comparison)
  | ({ readonly kind: 'weight'; readonly addr: string } & Comparison)
  | { readonly kind: 'gone'; readonly addr: string }

/** The current state of a service. */
export interface WaitFacts {
  readonly endpoints: readonly Endpoint[]
  /** The number of endpoints with a gRPC connection; null if it was not checked. */
  readonly ready: number | null
  /** The number of healthy endpoints; null if it was not checked. */
  readonly healthy: number | null
}

/**
 * Reads `endpoints>=3`, `ready>=3`, `healthy>=3`, `gone ADDR` or `weight ADDR==0`; a single `=` is equality.
 *
 * @throws DiscoError USAGE
 */
export function parseWaitCondition(text: string): WaitCondition {
  const [, counted, countOperator, count] =
    /^\s*(endpoints|ready|healthy)\s*(>=|<=|==|!=|=|>|<)\s*(\d{1,9})\s*$/.exec(text) ?? []
  if (counted) {
    const kind = counted as 'endpoints' | 'ready' | 'healthy'
    return { kind, operator: operatorOf(countOperator), number: Number(count) }
  }
  const [, gone] = /^\s*gone\s+(\S+)\s*$/.exec(text) ?? []
  if (gone) return { kind: 'gone', addr: gone }
  const [, addr, operator, weight] =
    /^\s*weight\s+([^\s<>=!]+)\s*(>=|<=|==|!=|=|>|<)\s*(\d+(?:\.\d+)?)\s*$/.exec(text) ?? []
  if (addr) return { kind: 'weight', addr, operator: operatorOf(operator), number: Number(weight) }
  // Without quotes, a shell reads > as a redirection and a space as the end of the condition.
  const isCut = /^\s*(endpoints|ready|healthy|gone|weight)\s*$/.test(text)
  throw new DiscoError('USAGE', `Invalid condition "${text}"`, {
    suggestions: [
      ...(isCut ? [`Quote the whole condition: --for '${EXAMPLES[text.trim()]}'`] : []),
      "Expected endpoints>=3, ready>=3, healthy>=3, 'gone ADDR' or 'weight ADDR==0'",
    ],
  })
}

const EXAMPLES: Readonly<Record<string, string>> = {
  endpoints: 'endpoints>=3',
  ready: 'ready>=3',
  healthy: 'healthy>=3',
  gone: 'gone 1.2.3.4:1001',
  weight: 'weight 1.2.3.4:1001==0',
}

/** The condition as a user writes it: `ready>=3`. */
export function formatWaitCondition(condition: WaitCondition): string {
  if (condition.kind === 'gone') return `gone ${condition.addr}`
  const { kind, operator, number } = condition
  return `${kind === 'weight' ? `weight ${condition.addr}` : kind}${operator}${number}`
}

/** Whether the servers themselves must be asked. */
export function needsHealth({ kind }: WaitCondition): boolean {
  return kind === 'ready' || kind === 'healthy'
}

/**
 * Whether the condition holds, and the current state, as a clause for messages. An absent endpoint has no weight, and
 * counts nowhere.
 */
export function judge(condition: WaitCondition, facts: WaitFacts): { holds: boolean; now: string } {
  const usable = facts.endpoints.filter(({ problem }) => problem === null)
  switch (condition.kind) {
    case 'gone': {
      const isThere = facts.endpoints.some((endpoint) => isNamed(endpoint, condition.addr))
      return { holds: !isThere, now: `${condition.addr} is ${isThere ? 'registered' : 'gone'}` }
    }
    case 'weight': {
      const meant = usable.filter((endpoint) => isNamed(endpoint, condition.addr))
      const weights = meant.map(({ weight }) => weight)
      const holds = weights.length > 0 && weights.every((weight) => compare(weight, condition))
      const now = weights.length === 0 ? 'not registered' : `weight ${weights.join(', ')}`
      return { holds, now: `${condition.addr} ${weights.length === 0 ? 'is ' : 'has '}${now}` }
    }
    default: {
      const count = condition.kind === 'endpoints' ? usable.length : facts[condition.kind]
      const holds = count !== null && compare(count, condition)
      return { holds, now: `${condition.kind} ${count ?? 'unknown'}` }
    }
  }
}

function compare(value: number, { operator, number }: Comparison): boolean {
  return OPERATORS[operator](value, number)
}

function operatorOf(text: string | undefined): Operator {
  return text === '=' || text === undefined ? '==' : (text as Operator)
}
