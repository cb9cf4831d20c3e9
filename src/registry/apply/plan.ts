import { type Endpoint, isReadable, type Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { AUTO, type Reader, readerOf } from '../../domain/layouts/reader.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { decodeEndpoints } from '../decode.js'
import type { StatedKey } from '../file/keys.js'
import type { Registry } from '../registry.js'
import { refuseTurnedWeights } from '../weight-guard.js'
import { type Force, type KeyPlan, planKey, planRemoval } from './plan-key.js'
import { readPrefixes } from './state.js'

/** How a file is applied. */
export interface ApplyRules extends Force {
  /** Whether to remove keys of the file's services that are not in the file. */
  readonly prune: boolean
  /** How to add keys that had a lease: under a new lease, or held by this process. `refused` is an error. */
  readonly leased: { readonly ttlSeconds: number } | 'hold' | 'refused'
  /** The prefix of all keys. */
  readonly root: string
}

/** A key that is not in the file and that a prune does not remove, with the reason. */
export interface LeftKey {
  readonly key: string
  readonly service: string
  readonly addr: string
  readonly reason: 'leased' | 'unreadable'
}

/** The difference between a file and a registry, as of one revision. */
export interface ApplyPlan {
  readonly revision: Revision
  /** Adds, updates and removals, in the order of the file; removals last. */
  readonly changes: readonly KeyPlan[]
  /** Keys that equal the file already. */
  readonly same: readonly KeyPlan[]
  /** Keys that a prune does not remove; empty without `prune`. */
  readonly left: readonly LeftKey[]
}

/**
 * Compares a file with the keys as of one revision. Reads only keys of the file's services, in the file's layouts.
 *
 * @throws DiscoError USAGE for keys to add that had a lease, if `leased` is `refused`; CONFLICT if a change needs
 *   `force`
 */
export async function planApply(
  registry: Registry,
  stated: readonly StatedKey[],
  rules: ApplyRules,
): Promise<ApplyPlan> {
  const { client } = registry.internals()
  const groups = groupsOf(stated)
  const { revision, under } = await readPrefixes(client, groups.keys())
  const plans: KeyPlan[] = []
  const left: LeftKey[] = []
  const removals: KeyPlan[] = []
  const reader = readerOf({ layout: AUTO, root: rules.root })
  for (const [prefix, group] of groups) {
    const current = under.get(prefix) ?? new Map<string, KeyValue>()
    const own = group.keys.map((key) => planKey(key, current.get(key.key) ?? null, rules))
    const others = otherKeys(reader, group, current)
    const pruned = rules.prune ? prune(group, others, rules.force) : { removals: [], left: [] }
    plans.push(...own)
    removals.push(...pruned.removals)
    left.push(...pruned.left)
    const removed = new Set(pruned.removals.map(({ key }) => key))
    const kept = others.filter(({ kv }) => !removed.has(kv.key))
    if (!rules.force) refuseTurns(own, pruned.removals, kept)
  }
  const changes = [...plans.filter(({ op }) => op !== 'same'), ...removals]
  if (rules.leased === 'refused') refuseLeased(changes)
  return { revision, changes, same: plans.filter(({ op }) => op === 'same'), left }
}

/** The keys of a service in one layout, which have one prefix. */
interface Group {
  readonly service: string
  readonly keys: readonly StatedKey[]
}

function groupsOf(stated: readonly StatedKey[]): Map<string, Group> {
  const groups = new Map<string, { service: string; keys: StatedKey[] }>()
  for (const one of stated) {
    const [{ service }] = one.records
    const prefix = one.layout.prefix(service)
    const group = groups.get(prefix) ?? { service, keys: [] }
    group.keys.push(one)
    groups.set(prefix, group)
  }
  return groups
}

interface OtherKey {
  readonly kv: KeyValue
  readonly endpoints: readonly [Endpoint, ...Endpoint[]]
}

/** Registrations of the group's service and layout that the file does not have. */
function otherKeys(
  reader: Reader,
  { service, keys }: Group,
  current: ReadonlyMap<string, KeyValue>,
): OtherKey[] {
  const own = new Set(keys.map(({ key }) => key))
  const name = keys[0]?.layout.name
  return [...current.values()].flatMap((kv): OtherKey[] => {
    if (own.has(kv.key)) return []
    const [first, ...rest] = decodeEndpoints(reader, kv, service)
    return first !== undefined && first.layout === name ? [{ kv, endpoints: [first, ...rest] }] : []
  })
}

/** Plans the removal of other keys. Leased keys are removed only with `force`, unreadable ones never. */
function prune(
  { keys }: Group,
  others: readonly OtherKey[],
  force: boolean,
): { readonly removals: KeyPlan[]; readonly left: LeftKey[] } {
  const removals: KeyPlan[] = []
  const left: LeftKey[] = []
  const layout = keys[0]?.layout
  for (const { kv, endpoints } of others) {
    const [first] = endpoints
    const reason = !isReadable(first) ? 'unreadable' : kv.lease !== null && !force ? 'leased' : null
    if (reason !== null) left.push({ key: kv.key, service: first.service, addr: first.addr, reason })
    else if (layout) removals.push(planRemoval(layout, kv, endpoints))
  }
  return { removals, left }
}

/**
 * @throws DiscoError CONFLICT if the first weight of a service would drain its other endpoints, or its last weight
 *   above 0 would be lost
 */
function refuseTurns(own: readonly KeyPlan[], removals: readonly KeyPlan[], kept: readonly OtherKey[]): void {
  const rest = kept.flatMap(({ endpoints }) => endpoints)
  const usable = (plans: readonly KeyPlan[], side: 'before' | 'after') =>
    plans.flatMap((plan) => plan[side].map((record) => ({ ...record, problem: record.problem ?? null })))
  const [service = ''] = own.map((plan) => plan.service)
  refuseTurnedWeights(service, {
    before: [...usable([...own, ...removals], 'before'), ...rest],
    after: [...usable(own, 'after'), ...rest],
    untouched: rest,
  })
}

const MAX_NAMED = 5

/** @throws DiscoError USAGE */
function refuseLeased(changes: readonly KeyPlan[]): void {
  const leased = changes.filter(({ op, stated }) => op === 'add' && stated?.leased)
  if (leased.length === 0) return
  const names = leased.slice(0, MAX_NAMED).map(({ service, after }) => `${service} ${after[0]?.addr}`)
  const more = leased.length > MAX_NAMED ? [', …'] : []
  throw new DiscoError(
    'USAGE',
    `These endpoints had a lease, and would never expire without one: ${names.join(', ')}${more.join('')}`,
    {
      suggestions: [
        '--ttl 60: adds them under a lease of 60 s, until their owners take over',
        '--hold: this process holds them until Ctrl-C, like disco register',
        'For keys that should never expire: leased: false in the file',
      ],
    },
  )
}
