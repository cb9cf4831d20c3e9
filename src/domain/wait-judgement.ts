import { type Endpoint, type EndpointId, endpointId } from './endpoint.js'
import { isNamed } from './endpoint-filter.js'
import {
  compare,
  type EndpointState,
  isAtLeast,
  needsConnections,
  type OfEndpoints,
  type WaitCondition,
} from './wait-condition.js'

/** The current state of the selected endpoints. */
export interface WaitFacts {
  readonly endpoints: readonly Endpoint[]
  /** The addresses and keys in the selection, including those that match no endpoint. */
  readonly names: readonly string[]
  /** The endpoints with a gRPC connection; null if connections were not checked. */
  readonly ready: ReadonlySet<EndpointId> | null
  /** The healthy endpoints; null if health was not checked. */
  readonly healthy: ReadonlySet<EndpointId> | null
  /** The endpoints at weight 0; empty if the weights of the service are unset. */
  readonly drained: ReadonlySet<EndpointId>
}

/** The result of judging a condition. */
export interface Judgement {
  readonly holds: boolean
  /** The current state as a clause for messages, such as `ready 2`. */
  readonly now: string
}

/** Judges whether a condition holds for the current state. */
export function judge(condition: WaitCondition, facts: WaitFacts): Judgement {
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
 * Whether the condition could hold with the endpoints that are registered now, if their connections and health changed.
 * A condition that needs no connections is judged as it is. A lower bound, and `all`, is judged as if every usable
 * endpoint were ready and healthy. For any other condition on connections or health, the result is true.
 */
export function mayHold(condition: WaitCondition, facts: WaitFacts): boolean {
  if (!needsConnections(condition)) return judge(condition, facts).holds
  const isLowerBound = 'operator' in condition ? isAtLeast(condition) : condition.kind === 'all'
  if (!isLowerBound) return true
  const everything = new Set(facts.endpoints.filter(isUsable).map(endpointId))
  return judge(condition, { ...facts, ready: everything, healthy: everything }).holds
}

type NamedCondition = Exclude<WaitCondition, { kind: 'endpoints' | 'ready' | 'healthy' }>

/** The names and endpoints that a condition is about. `absent`: the names that match no endpoint. */
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

function judgeNamed(condition: NamedCondition, subjects: Subjects, facts: WaitFacts): Judgement {
  const { endpoints, names, absent } = subjects
  // Each name must match an endpoint. Without names, at least one endpoint must be registered.
  const arePresent = endpoints.length > 0 && absent.length === 0
  switch (condition.kind) {
    case 'gone': {
      const left = names.filter((name) => !absent.includes(name))
      if (names.length === 0) return { holds: endpoints.length === 0, now: registeredText(endpoints) }
      return { holds: left.length === 0, now: left.length > 0 ? are(left, 'registered') : are(names, 'gone') }
    }
    case 'registered':
      return { holds: arePresent, now: absenceText(absent) ?? registeredText(endpoints) }
    case 'weight': {
      const weights = endpoints.filter(isUsable).map(({ weight }) => weight)
      if (!arePresent) return { holds: false, now: absenceText(absent) ?? registeredText(endpoints) }
      if (weights.length === 0) return { holds: false, now: 'no weight can be read' }
      const whose = names.length === 1 ? `${names[0]} has weight` : 'weights'
      const holds = weights.every((weight) => compare(weight, condition))
      return { holds, now: `${whose} ${listed(weights.map(String))}` }
    }
    default:
      return judgeState(condition, { endpoints, absent, arePresent }, facts)
  }
}

function judgeState(
  { kind, state }: Extract<WaitCondition, { readonly state: EndpointState }>,
  {
    endpoints,
    absent,
    arePresent,
  }: Pick<Subjects, 'endpoints' | 'absent'> & { readonly arePresent: boolean },
  { [state]: inState }: WaitFacts,
): Judgement {
  const count = inState === null ? null : endpoints.filter((one) => inState.has(endpointId(one))).length
  const now = `${state} ${count ?? 'unknown'} of ${endpoints.length}`
  if (kind === 'none' && state !== 'drained') return { holds: count === 0, now }
  // The remaining cases are the kind `all`, and `not drained` (kind `none`, state `drained`). They need a registered
  // endpoint: otherwise they would hold for a service without endpoints.
  const holds = arePresent && count === (kind === 'all' ? endpoints.length : 0)
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
