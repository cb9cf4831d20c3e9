import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { Remedy } from './remedy.js'

/** `error`: calls fail, or will fail; `warning`: should be corrected; `info`: needs no correction. */
export type Severity = 'error' | 'warning' | 'info'

/** A fault that a rule found. */
export interface RuleFinding {
  /** Default: the severity of the rule. */
  readonly severity?: Severity
  /** The endpoint that has the fault; null if a whole service or etcd has it. */
  readonly endpoint?: Endpoint | null
  /** The URL of the etcd member that has the fault. */
  readonly member?: string
  /** The revision that brought the fault, such as the last write of the key; null if revisions do not show it. */
  readonly since?: Revision | null
  /** A clause: what is wrong. */
  readonly text: string
  /** A clause: the consequence, with the affected share of the traffic; null if there is no consequence now. */
  readonly cost?: string | null
  /** The affected share of the service's traffic, from 0 to 1; null if the rule does not compute one. */
  readonly share?: number | null
  readonly remedy: Remedy
}

/** One kind of finding: its code, its texts and its check. */
export interface Rule<Facts> {
  /** A code such as `D001`. Codes are never reused. */
  readonly code: string
  /** Two or three words. */
  readonly title: string
  readonly severity: Severity
  /** The page of `disco help D001`: the meaning of the finding, its consequence, and how to fix it. */
  readonly page: string
  /** Finds all faults of this kind. Pure. */
  find(facts: Facts): readonly RuleFinding[]
}

export interface Finding extends Required<Omit<RuleFinding, 'member'>> {
  readonly code: string
  readonly title: string
  /** Null if the finding is about etcd. */
  readonly service: string | null
  readonly member: string | null
}

/**
 * Applies rules to facts.
 *
 * @param service the service that the facts describe; null for facts about etcd
 */
export function findingsBy<Facts>(
  rules: readonly Rule<Facts>[],
  facts: Facts,
  service: string | null,
): Finding[] {
  return rules.flatMap(({ code, title, severity, find }) =>
    find(facts).map((found) => ({
      code,
      title,
      service,
      severity,
      endpoint: null,
      member: null,
      since: null,
      cost: null,
      share: null,
      ...found,
    })),
  )
}

/** Formats 0.0714 as `7.1%`. A positive fraction that rounds to 0.0% becomes `under 0.1%`. */
export function percent(fraction: number): string {
  const rounded = (fraction * 100).toFixed(1)
  return fraction > 0 && rounded === '0.0' ? 'under 0.1%' : `${rounded}%`
}

/** `1 key`, `2 keys`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** Maximum number of names in a clause. */
const MAX_NAMES = 3

/** Joins names with commas: `a, b, c, …`. */
export function listed(names: readonly string[]): string {
  return [...names.slice(0, MAX_NAMES), ...(names.length > MAX_NAMES ? ['…'] : [])].join(', ')
}
