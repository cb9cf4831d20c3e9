import type { Message, Outcome } from '../support/etcd-api.js'
import type { Step } from './steps.js'

/**
 * How many seconds of its TTL a lease may have lost and still count as just renewed. Far below the unit of TTLs (1,000 s),
 * and far above the time that a seed takes on a busy machine.
 */
const TTL_TOLERANCE_SECONDS = 400

/** Go's sort keeps the order of equals up to this length; beyond it, etcd's order among equals is arbitrary. */
const STABLE_SORT_LIMIT = 12

/** Fields that name the cluster rather than say what it holds. */
const OF_THE_CLUSTER = new Set(['cluster_id', 'member_id', 'raft_term'])

/** The whole response or refusal as text, without what may rightly differ between two clusters. */
export function normalForm(step: Step, outcome: Outcome): string {
  if ('refused' in outcome) return JSON.stringify(outcome)
  let response = outcome.ok
  if (step.do === 'call') {
    if (step.path === 'KV/Range') response = ranged(step.request, response)
    if (step.path === 'KV/Txn') response = transacted(step.request, response)
    if (step.path === 'Lease/LeaseTimeToLive') response = withRoundTtl(response)
  }
  return JSON.stringify(response, (field, value) => (OF_THE_CLUSTER.has(field) ? undefined : value))
}

/** Keys come in any order (etcd walks a hash map); the remaining TTL counts as "all of it" when it nearly is. */
function withRoundTtl(response: Message): Message {
  const { TTL, grantedTTL, keys } = response as { TTL: string; grantedTTL: string; keys: string[] }
  const nearlyAll = Number(TTL) >= 0 && Number(grantedTTL) - Number(TTL) <= TTL_TOLERANCE_SECONDS
  return { ...response, TTL: nearlyAll ? 'all' : TTL, keys: [...keys].sort() }
}

/** Each operation's own response, found beside its request, nested ones included. */
function transacted(request: Message, response: Message): Message {
  const ops = (request[response.succeeded ? 'success' : 'failure'] ?? []) as Message[]
  const responses = response.responses as Message[]
  const normal = responses.map((entry, index) => {
    const op = ops[index] ?? {}
    if (op.request_range) {
      return {
        ...entry,
        response_range: ranged(op.request_range as Message, entry.response_range as Message),
      }
    }
    if (op.request_txn) {
      return { ...entry, response_txn: transacted(op.request_txn as Message, entry.response_txn as Message) }
    }
    return entry
  })
  return { ...response, responses: normal }
}

/** RangeRequest.SortTarget → the field that is compared; the key never ties. */
const SORTED_BY = [undefined, 'version', 'create_revision', 'mod_revision', 'value'] as const

/**
 * Puts equals in key order where etcd's own order is arbitrary; of equals that a limit cuts, only counts them.
 * Where only keys are shown, all values look equal, and so nothing is left to compare of an order by value.
 */
function ranged(request: Message, response: Message): Message {
  const field = SORTED_BY[Number(request.sort_target ?? 0)]
  if (field === undefined || Number(response.count) <= STABLE_SORT_LIMIT) return response
  const kvs = response.kvs as Message[]
  const last = kvs.at(-1)?.[field]
  const whole = response.more ? kvs.filter((kv) => kv[field] !== last) : kvs
  // The list is sorted by the field already; sorting runs of equals by key leaves the runs where they are.
  const runs = new Map<unknown, Message[]>()
  for (const kv of whole) runs.set(kv[field], [...(runs.get(kv[field]) ?? []), kv])
  const ordered = [...runs.values()].flatMap((run) =>
    run.sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1)),
  )
  return { ...response, kvs: [...ordered, { cut: kvs.length - whole.length, [field]: last }] }
}
