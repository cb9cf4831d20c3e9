import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { isNoEndpoint, isUnreadable, layoutNamed } from '../domain/layouts/index.js'
import type { Reader } from '../domain/layouts/reader.js'
import { effectiveWeight, shareFractions, weightsAreUnset } from '../domain/shares.js'
import { changeWeight, type WeightChange } from '../domain/weight.js'
import type { EtcdClient } from '../etcd/client.js'
import { replaceValue, type Unchanged } from '../etcd/key-txn.js'
import { list, oneKey } from '../etcd/range.js'
import { listEndpoints } from './listing.js'

/** One endpoint's weight, before and after: two addresses under one key are two of them. */
export interface EndpointChange {
  readonly endpoint: Endpoint
  readonly from: number
  readonly to: number
  /** The endpoint's part of the service's traffic, before and after. */
  readonly shareFraction: { readonly from: number; readonly to: number }
}

/** What a change of weight came to. */
export interface WeightChanged {
  /** After the last of the changes. */
  readonly revision: Revision
  readonly changes: readonly EndpointChange[]
}

interface Targets {
  readonly service: readonly Endpoint[]
  readonly selected: readonly Endpoint[]
}

/** Each selected key in a transaction of its own; the addresses under one key share its weight. */
export async function setWeight(
  client: EtcdClient,
  reader: Reader,
  { service, selected }: Targets,
  change: WeightChange,
  options: { force: boolean },
): Promise<WeightChanged> {
  for (const { unreadable, problem, key, layout } of selected) {
    const why = unreadable ? problem : layoutNamed(layout).weightless
    if (why !== null) throw weightless(key, why)
  }
  if (!options.force) refuseSurprises(service, selected, change)
  const mayUnset = options.force || weightsAreUnset(service)
  const witness = mayUnset ? null : witnessFor(client, reader, { service, selected })
  const before = new Map(service.map((endpoint) => [endpoint, endpoint.weight]))
  const weights = new Map(before)
  const byKey = new Map<string, Endpoint[]>(selected.map(({ key }) => [key, []]))
  for (const endpoint of service) byKey.get(endpoint.key)?.push(endpoint)
  let revision = 0
  for (const [key, siblings] of byKey) {
    const changed = await changeKey(client, reader, key, change, witness)
    revision = changed.revision
    for (const endpoint of siblings) {
      before.set(endpoint, changed.from)
      weights.set(endpoint, changed.to)
    }
  }
  const sharesBefore = shareFractions(service.map((e) => ({ ...e, weight: before.get(e) ?? e.weight })))
  const sharesAfter = shareFractions(service.map((e) => ({ ...e, weight: weights.get(e) ?? e.weight })))
  const changes = service.flatMap((endpoint, index) => {
    if (!byKey.has(endpoint.key)) return []
    const shareFraction = { from: sharesBefore[index] ?? 0, to: sharesAfter[index] ?? 0 }
    return [{ endpoint, from: before.get(endpoint) ?? 0, to: weights.get(endpoint) ?? 0, shareFraction }]
  })
  return { revision, changes }
}

/** Reads, changes and writes under the key's own lease, again whenever someone else wrote in between. */
async function changeKey(
  client: EtcdClient,
  reader: Reader,
  key: string,
  change: WeightChange,
  witness: Witness | null,
): Promise<{ revision: Revision; from: number; to: number }> {
  for (let attempt = 0; ; attempt++) {
    const { kvs } = await list(client, oneKey(key))
    const kv = kvs[0]
    if (!kv) throw new DiscoError('NOT_FOUND', `${key} went while its weight was being changed`)
    const found = reader.read(key, kv.value)
    if (found === null || isNoEndpoint(found.decoded)) throw weightless(key, 'it is no registration')
    if (isUnreadable(found.decoded)) throw weightless(key, found.decoded.problem)
    const from = found.decoded[0].weight
    const to = changeWeight(from, change)
    if (change.kind === 'restore' && to === from) return { revision: kv.modRevision, from, to }
    const value = found.layout.withWeight(kv.value, to)
    const repeatable = change.kind === 'set' || change.kind === 'restore'
    const asSeen = { key, revision: kv.modRevision }
    const stays = witness && to === 0 && from > 0 ? await witness({ anew: attempt > 0 }) : null
    const outcome = await replaceValue(client, asSeen, value, { repeatable }, stays)
    if (outcome.done) return { revision: outcome.revision, from, to }
    const wroteItself =
      repeatable && outcome.found !== null && Buffer.compare(outcome.found.value, value) === 0
    if (wroteItself) return { revision: outcome.found.modRevision, from, to }
  }
}

/** Another endpoint's key that has a weight now. @throws DiscoError CONFLICT where there is none */
type Witness = (list: { anew: boolean }) => Promise<Unchanged>

/**
 * The last weight of a service is not taken away by two who each leave it to the other: the transaction that
 * takes one holds only while another one stands.
 */
function witnessFor(client: EtcdClient, reader: Reader, { service, selected }: Targets): Witness {
  const keys = new Set(selected.map((endpoint) => endpoint.key))
  const name = selected[0]?.service ?? ''
  let listed = service
  return async ({ anew }) => {
    if (anew) listed = (await listEndpoints(client, reader, name)).endpoints
    const weighted = listed.find(
      (endpoint) => !keys.has(endpoint.key) && effectiveWeight(endpoint, false) > 0,
    )
    if (!weighted) throw drainsTheLast(name)
    return { key: weighted.key, revision: weighted.modRevision }
  }
}

function weightless(key: string, why: string): DiscoError {
  return new DiscoError('CONFLICT', `The value of ${key} cannot carry a weight: ${why}`)
}

/** A weight of 0 everywhere means that weights are unset: neither end of that is reached by accident. */
function refuseSurprises(
  service: readonly Endpoint[],
  selected: readonly Endpoint[],
  change: WeightChange,
): void {
  const keys = new Set(selected.map((endpoint) => endpoint.key))
  const name = selected[0]?.service ?? ''
  const isUnset = weightsAreUnset(service)
  const after = service.map((endpoint) =>
    keys.has(endpoint.key) ? { ...endpoint, weight: changeWeight(endpoint.weight, change) } : endpoint,
  )
  const willBeUnset = weightsAreUnset(after)
  if (isUnset && !willBeUnset) {
    const drained = after.filter(
      (endpoint) => endpoint.problem === null && effectiveWeight(endpoint, false) === 0,
    )
    if (drained.length === 0) return
    throw new DiscoError(
      'CONFLICT',
      `${name} has no weights yet: a first one would drain the other ${drained.length} endpoints`,
      { suggestions: [`Give all a weight first: disco weight ${name} --all 1`, 'Or say --force'] },
    )
  }
  if (!isUnset && willBeUnset) throw drainsTheLast(name)
}

function drainsTheLast(service: string): DiscoError {
  return new DiscoError(
    'CONFLICT',
    `This would drain the last weighted endpoint of ${service}, which turns the weights off: all would get equal shares`,
    { suggestions: ['To go on all the same, say --force'] },
  )
}
