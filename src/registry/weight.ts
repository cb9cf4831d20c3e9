import type { Endpoint, Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { Detected } from '../domain/layouts/detect.js'
import { isNoEndpoint, isUnreadable } from '../domain/layouts/index.js'
import type { Reader } from '../domain/layouts/reader.js'
import { shareWithin, weightsAreUnset } from '../domain/shares.js'
import { changeWeight, type WeightChange } from '../domain/weight.js'
import type { EtcdClient } from '../etcd/client.js'
import { replaceValue } from '../etcd/key-txn.js'
import { type KeyValue, list, oneKey } from '../etcd/range.js'
import { decodeEndpoints } from './decode.js'
import { refusePercentOfZero, refuseSurprises, type Witness, witnessFor } from './weight-guard.js'
import { cannotCarry, type LeftOut, type Targets } from './weight-targets.js'

/** One endpoint's weight, before and after: two addresses under one key are two of them. */
export interface EndpointChange {
  /** As it is after the change. */
  readonly endpoint: Endpoint
  /** Null where the value could not be read before: the change has mended it. */
  readonly from: number | null
  readonly to: number
  /** False where the weight stood there already, so that nothing was written. */
  readonly written: boolean
  /** The endpoint's part of the service's traffic, before and after. */
  readonly shareFraction: { readonly from: number; readonly to: number }
}

/** What a change of weight came to. */
export interface WeightChanged {
  /** After the last of the changes. */
  readonly revision: Revision
  readonly changes: readonly EndpointChange[]
  /** What a change of a whole service did not touch. */
  readonly leftOut: readonly LeftOut[]
}

export interface WeightOptions {
  /** Even where it drains the others or turns the weights off. */
  readonly force: boolean
  /** Whether a change of a whole service includes endpoints at weight 0. Default: false. */
  readonly drained?: boolean | undefined
}

interface KeyChange {
  readonly revision: Revision
  readonly before: readonly Endpoint[]
  readonly after: readonly Endpoint[]
  readonly written: boolean
}

/** Each selected key in a transaction of its own; the addresses under one key share its weight. */
export async function setWeight(
  client: EtcdClient,
  reader: Reader,
  targets: Targets,
  change: WeightChange,
  { force }: WeightOptions,
): Promise<WeightChanged> {
  const { service, selected, leftOut } = targets
  refusePercentOfZero(targets, change)
  if (!force) refuseSurprises(targets, change)
  const mayUnset = force || weightsAreUnset(service)
  const witness = mayUnset ? null : witnessFor(client, reader, targets)
  const byKey = new Map<string, KeyChange>()
  for (const { key } of selected) {
    if (!byKey.has(key)) byKey.set(key, await changeKey(client, reader, key, change, witness))
  }
  const revision = Math.max(...[...byKey.values()].map((changed) => changed.revision))
  return { revision, changes: changesOf(service, byKey), leftOut }
}

function changesOf(service: readonly Endpoint[], byKey: ReadonlyMap<string, KeyChange>): EndpointChange[] {
  const others = service.filter(({ key }) => !byKey.has(key))
  const changed = [...byKey.values()]
  const shareBefore = shareWithin([...others, ...changed.flatMap(({ before }) => before)])
  const shareAfter = shareWithin([...others, ...changed.flatMap(({ after }) => after)])
  return changed.flatMap(({ before, after, written }) =>
    after.map((endpoint) => {
      const old = before.find(({ addr, unreadable }) => addr === endpoint.addr && unreadable === undefined)
      const shareFraction = { from: old ? shareBefore(old) : 0, to: shareAfter(endpoint) }
      return { endpoint, from: old?.weight ?? null, to: endpoint.weight, written, shareFraction }
    }),
  )
}

/** Reads, changes and writes under the key's own lease, again whenever someone else wrote in between. */
async function changeKey(
  client: EtcdClient,
  reader: Reader,
  key: string,
  change: WeightChange,
  witness: Witness | null,
): Promise<KeyChange> {
  for (let attempt = 0; ; attempt++) {
    const { kvs } = await list(client, oneKey(key))
    const kv = kvs[0]
    if (!kv) throw new DiscoError('NOT_FOUND', `${key} went while its weight was being changed`)
    const { value, from, to } = planned(reader, kv, change)
    const before = decodeEndpoints(reader, kv)
    const changeAt = (revision: Revision, written: boolean): KeyChange => {
      const after = decodeEndpoints(reader, { ...kv, value: Buffer.from(value), modRevision: revision })
      return { revision, before, after, written }
    }
    if (Buffer.compare(value, kv.value) === 0) return changeAt(kv.modRevision, false)
    const repeatable = change.kind === 'set' || change.kind === 'restore'
    const asSeen = { key, revision: kv.modRevision }
    const stays = witness && to === 0 && from !== 0 ? await witness({ anew: attempt > 0 }) : null
    const outcome = await replaceValue(client, asSeen, value, { repeatable }, stays)
    if (outcome.done) return changeAt(outcome.revision, true)
    const wroteItself =
      repeatable && outcome.found !== null && Buffer.compare(outcome.found.value, value) === 0
    if (wroteItself) return changeAt(outcome.found.modRevision, true)
  }
}

interface Plan {
  readonly value: Uint8Array
  /** Null where the value cannot be read as it is. */
  readonly from: number | null
  readonly to: number
}

/**
 * The value with the new weight. A weight that is set mends a value whose only fault is its weight; other
 * changes need a weight to start from.
 *
 * @throws DiscoError CONFLICT
 */
function planned(reader: Reader, { key, value }: KeyValue, change: WeightChange): Plan {
  const found = reader.read(key, value)
  if (found === null || isNoEndpoint(found.decoded)) throw cannotCarry(key, 'it is not a registration')
  if (isUnreadable(found.decoded)) return mended(reader, { key, value }, found, change)
  const from = found.decoded[0].weight
  const to = changeWeight(from, change)
  const isNoChange = to === from && change.kind !== 'set'
  return { value: isNoChange ? value : found.layout.withWeight(value, to), from, to }
}

function mended(
  reader: Reader,
  { key, value }: Pick<KeyValue, 'key' | 'value'>,
  { layout, decoded }: Detected,
  change: WeightChange,
): Plan {
  const problem = isUnreadable(decoded) ? decoded.problem : ''
  if (change.kind !== 'set' || layout.weightless !== null) throw cannotCarry(key, problem)
  let changed: Uint8Array
  try {
    changed = layout.withWeight(value, change.weight)
  } catch (cause) {
    // A value that is not even JSON has no place for a member.
    throw cannotCarry(key, problem, cause)
  }
  const again = reader.read(key, changed)
  if (again === null || isNoEndpoint(again.decoded) || isUnreadable(again.decoded)) {
    throw cannotCarry(key, problem)
  }
  return { value: changed, from: null, to: change.weight }
}
