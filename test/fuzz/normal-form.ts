import type { Message, Outcome } from '../support/etcd-api.js'
import type { Step } from './steps.js'

/**
 * Number of seconds that a lease may have lost and still count as just renewed. Far below the unit of TTLs (1,000 s),
 * and far above the duration of a seed on a busy machine.
 */
const TTL_TOLERANCE_SECONDS = 400

/** Go’s sort is stable up to this length. In longer lists, etcd’s order of equal elements is arbitrary. */
const STABLE_SORT_LIMIT = 12

/** Fields that identify the cluster, and not its content. */
const OF_THE_CLUSTER = new Set(['cluster_id', 'member_id', 'raft_term'])

/** A response or refusal as text, without the parts that may differ between two clusters. */
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

/**
 * Sorts the keys, whose order is arbitrary because etcd iterates a hash map. Replaces a remaining TTL that is nearly
 * the granted one by "all".
 */
function withRoundTtl(response: Message): Message {
  const { TTL, grantedTTL, keys } = response as { TTL: string; grantedTTL: string; keys: string[] }
  const nearlyAll = Number(TTL) >= 0 && Number(grantedTTL) - Number(TTL) <= TTL_TOLERANCE_SECONDS
  return { ...response, TTL: nearlyAll ? 'all' : TTL, keys: [...keys].sort() }
}

/** Normalizes the response of each operation, also in nested transactions, with the help of its request. */
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

/** The compared field for each RangeRequest.SortTarget; undefined for the key, which is unique. */
const SORTED_BY = [undefined, 'version', 'create_revision', 'mod_revision', 'value'] as const

/**
 * Sorts elements that are equal in the sort field by key if etcd’s order is arbitrary. Of the equal elements that a
 * limit cuts off, only the number is kept. If only keys are returned, all values look equal, so an order by value is
 * not compared.
 */
function ranged(request: Message, response: Message): Message {
  const field = SORTED_BY[Number(request.sort_target ?? 0)]
  if (field === undefined || Number(response.count) <= STABLE_SORT_LIMIT) return response
  const kvs = response.kvs as Message[]
  const last = kvs.at(-1)?.[field]
  const whole = response.more ? kvs.filter((kv) => kv[field] !== last) : kvs
  // The list is already sorted by the field, so sorting equal elements by key does not move other elements.
  const runs = new Map<unknown, Message[]>()
  for (const kv of whole) runs.set(kv[field], [...(runs.get(kv[field]) ?? []), kv])
  const ordered = [...runs.values()].flatMap((run) =>
    run.sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1)),
  )
  return { ...response, kvs: [...ordered, { cut: kvs.length - whole.length, [field]: last }] }
}
