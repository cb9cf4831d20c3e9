import type { Endpoint, Revision } from '../domain/endpoint.js'
import type { Remedy } from './mend.js'

/** `error`: calls fail, or will; `warning`: something is not as it should be; `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info'

/** A fault that a rule found. */
export interface Found {
  /** Default: the severity of the rule. */
  readonly severity?: Severity
  /** The endpoint concerned; null if the finding is about a whole service, or about etcd. */
  readonly endpoint?: Endpoint | null
  /** The URL of a member of etcd. */
  readonly member?: string
  /** The revision since which it is so, by etcd's history; null if the history does not show it. */
  readonly since?: Revision | null
  /** A clause: what is wrong. */
  readonly text: string
  /** A clause: the consequence, with its share of the traffic; null for none now. */
  readonly cost?: string | null
  /** The share of the service's traffic that it affects, from 0 to 1; null if it is not about traffic. */
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
  /** The page of `disco help D001`: what it means, what it costs, how to fix it. */
  readonly page: string
  /** Finds all faults of this kind. Pure. */
  find(facts: Facts): readonly Found[]
}

export interface Finding extends Required<Omit<Found, 'member'>> {
  readonly code: string
  readonly title: string
  /** Null if the finding is about etcd. */
  readonly service: string | null
  readonly member: string | null
}

/** Applies rules to facts. @param service null for facts about etcd */
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

/** 0.0714 as `7.1%`; a small part does not become 0. */
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

/** `a, b, c, …`. */
export function listed(names: readonly string[]): string {
  return [...names.slice(0, MAX_NAMES), ...(names.length > MAX_NAMES ? ['…'] : [])].join(', ')
}
