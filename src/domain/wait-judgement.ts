import { type Endpoint, type EndpointId, endpointId } from './endpoint.js'
import { isNamed } from './endpoint-filter.js'
import {
  compare,
  type EndpointState,
  isAtLeast,
  needsHealth,
  type OfEndpoints,
  type WaitCondition,
} from './wait-condition.js'

/** The current state of the selected endpoints. */
export interface WaitFacts {
  readonly endpoints: readonly Endpoint[]
  /** Addresses and keys that the selection names: each must match at least one endpoint. */
  readonly names: readonly string[]
  /** The endpoints with a gRPC connection; null if that was not checked. */
  readonly ready: ReadonlySet<EndpointId> | null
  /** The healthy endpoints; null if that was not checked. */
  readonly healthy: ReadonlySet<EndpointId> | null
  /** The endpoints at weight 0, except where the weights of the service are unset. */
  readonly drained: ReadonlySet<EndpointId>
}

/** Whether a condition holds, and the current state, as a clause for messages. */
export interface Judged {
  readonly holds: boolean
  readonly now: string
}

/**
 * Judges the current state. An absent endpoint has no weight and no state, and is not counted. Without an endpoint,
 * neither `all` nor a condition on the weight holds.
 */
export function judge(condition: WaitCondition, facts: WaitFacts): Judged {
  switch (condition.kind) {
    case 'endpoints':
    case 'ready':
    case 'healthy': {
      const { kind } = condition
      const count = kind === 'endpoints' ? facts.endpoints.filter(isUsable).length : facts[kind]?.size
      const holds = count !== undefined && compare(count, condition)
      return { holds, now: `${kind} ${count ?? 'unknown'}` }
    }
    default:
      return judgeNamed(condition, subjectsOf(condition, facts), facts)
  }
}

/**
 * Whether the condition holds with the current registry, provided that the servers answer as needed. The result for a
 * condition on the registry alone is whether it holds.
 */
export function mayHold(condition: WaitCondition, facts: WaitFacts): boolean {
  if (!needsHealth(condition)) return judge(condition, facts).holds
  const isMoreBetter = 'operator' in condition ? isAtLeast(condition) : condition.kind === 'all'
  if (!isMoreBetter) return true
  const everything = new Set(facts.endpoints.filter(isUsable).map(endpointId))
  return judge(condition, { ...facts, ready: everything, healthy: everything }).holds
}

type NamedCondition = Exclude<WaitCondition, { kind: 'endpoints' | 'ready' | 'healthy' }>

/** The endpoints that a condition is about, and the names that match none. */
interface Subjects {
  readonly names: readonly string[]
  readonly endpoints: readonly Endpoint[]
  readonly absent: readonly string[]
}

function subjectsOf({ addr }: OfEndpoints, facts: WaitFacts): Subjects {
  const names = addr === null ? facts.names : [addr]
  const endpoints =
    addr === null ? facts.endpoints : facts.endpoints.filter((endpoint) => isNamed(endpoint, addr))
  const absent = names.filter((name) => !endpoints.some((endpoint) => isNamed(endpoint, name)))
  return { names, endpoints, absent }
}

function judgeNamed(condition: NamedCondition, subjects: Subjects, facts: WaitFacts): Judged {
  const { endpoints, names, absent } = subjects
  // Each name must match an endpoint; without names, there must be one.
  const areThere = endpoints.length > 0 && absent.length === 0
  switch (condition.kind) {
    case 'gone': {
      const left = names.filter((name) => !absent.includes(name))
      if (names.length === 0) return { holds: endpoints.length === 0, now: registeredText(endpoints) }
      return { holds: left.length === 0, now: left.length > 0 ? are(left, 'registered') : are(names, 'gone') }
    }
    case 'registered':
      return { holds: areThere, now: absenceText(absent) ?? registeredText(endpoints) }
    case 'weight': {
      const weights = endpoints.filter(isUsable).map(({ weight }) => weight)
      if (!areThere) return { holds: false, now: absenceText(absent) ?? registeredText(endpoints) }
      if (weights.length === 0) return { holds: false, now: 'no weight can be read' }
      const whose = names.length === 1 ? `${names[0]} has weight` : 'weights'
      const holds = weights.every((weight) => compare(weight, condition))
      return { holds, now: `${whose} ${listed(weights.map(String))}` }
    }
    default:
      return judgeState(condition, { endpoints, absent, areThere }, facts)
  }
}

function judgeState(
  { kind, state }: Extract<WaitCondition, { readonly state: EndpointState }>,
  { endpoints, absent, areThere }: Pick<Subjects, 'endpoints' | 'absent'> & { readonly areThere: boolean },
  { [state]: inState }: WaitFacts,
): Judged {
  const count = inState === null ? null : endpoints.filter((one) => inState.has(endpointId(one))).length
  const now = `${state} ${count ?? 'unknown'} of ${endpoints.length}`
  if (kind === 'none' && state !== 'drained') return { holds: count === 0, now }
  // Only a registered endpoint has a weight, and so can be drained or not.
  const holds = areThere && count === (kind === 'all' ? endpoints.length : 0)
  const missing = absenceText(absent)
  return { holds, now: missing === null ? now : `${now}, ${missing}` }
}

function isUsable({ problem }: Endpoint): boolean {
  return problem === null
}

function registeredText({ length }: readonly Endpoint[]): string {
  return length === 0 ? 'none is registered' : `${length} ${length === 1 ? 'is' : 'are'} registered`
}

function absenceText(absent: readonly string[]): string | null {
  return absent.length === 0 ? null : are(absent, 'not registered')
}

function are(names: readonly string[], state: string): string {
  return `${listed(names)} ${names.length === 1 ? 'is' : 'are'} ${state}`
}

/** Maximum number of addresses, or of weights, in a clause. */
const MAX_LISTED = 5

function listed(texts: readonly string[]): string {
  return [...texts.slice(0, MAX_LISTED), ...(texts.length > MAX_LISTED ? ['…'] : [])].join(', ')
}
