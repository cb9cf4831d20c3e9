import type { EndpointRecord } from '../../domain/endpoint.js'
import type { ApplyResult } from '../../registry/apply/apply.js'
import type { ApplyPlan, LeftKey } from '../../registry/apply/plan.js'
import type { KeyPlan } from '../../registry/apply/plan-key.js'

export interface ApplyDoc {
  readonly schema: 'disco.apply/v1'
  readonly file: string
  /** A revision that has all changes that end as `done` or `already`; `planRev` if there are none. */
  readonly rev: string
  /** The revision of the registry that the plan was made from. */
  readonly planRev: string
  readonly dryRun: boolean
  /** `moved`: another client has changed some of the keys since the plan; those keys were not written. */
  readonly end: 'planned' | 'done' | 'moved' | 'interrupted'
  readonly changes: readonly ApplyChangeDoc[]
  /** The number of keys that already equal the file. */
  readonly same: number
  /** Keys that --prune does not remove: they have a lease, or they cannot be read. */
  readonly left: readonly LeftKey[]
}

export interface ApplyChangeDoc {
  readonly op: 'add' | 'update' | 'remove'
  readonly service: string
  readonly key: string
  readonly layout: string
  /** All addresses under the key. */
  readonly addrs: readonly string[]
  /** Empty if the endpoint has no version. */
  readonly version: string
  /** `from` is null for a new key, `to` for a removed one; both are null in a layout without weights. */
  readonly weight: { readonly from: number | null; readonly to: number | null }
  /** Whether an update changes more than the weight. */
  readonly otherFields: boolean
  /** Whether the key has a lease according to the file; for a removed key, according to etcd. */
  readonly leased: boolean
  /**
   * `held`: this process holds the key as a registration. `already`: another client had made the same change. `open`:
   * the command ended before it tried the change.
   */
  readonly end: 'planned' | 'done' | 'already' | 'moved' | 'open' | 'held'
}

/**
 * @param applied null for a plan that is not carried out
 * @param isHeld whether a registration of this process writes the key of a change
 */
export function applyDoc(
  file: string,
  plan: ApplyPlan,
  {
    applied,
    isHeld,
  }: { readonly applied: ApplyResult | null; readonly isHeld: (change: KeyPlan) => boolean },
): ApplyDoc {
  const ends = new Map(applied?.outcomes.map(({ plan: { key }, end }) => [key, end]))
  const endOf = (change: KeyPlan): ApplyChangeDoc['end'] => {
    if (applied === null) return 'planned'
    return isHeld(change) ? 'held' : (ends.get(change.key) ?? 'open')
  }
  const hasMoved = applied?.outcomes.some(({ end }) => end === 'moved')
  const done = applied?.open.length ? 'interrupted' : hasMoved ? 'moved' : 'done'
  return {
    schema: 'disco.apply/v1',
    file,
    rev: String(applied?.revision ?? plan.revision),
    planRev: String(plan.revision),
    dryRun: applied === null,
    end: applied === null ? 'planned' : done,
    changes: plan.changes.map((change) => changeDoc(change, endOf(change))),
    same: plan.same.length,
    left: plan.left,
  }
}

function changeDoc(change: KeyPlan, end: ApplyChangeDoc['end']): ApplyChangeDoc {
  const { op, service, key, layout, stated, before, after } = change
  const [was, is] = [before[0], after[0]]
  const weightOf = (record: EndpointRecord | undefined) =>
    record === undefined || layout.weightless !== null ? null : record.weight
  return {
    op: op === 'same' ? 'update' : op,
    service,
    key,
    layout: layout.name,
    addrs: (after.length > 0 ? after : before).map(({ addr }) => addr),
    version: (is ?? was)?.version ?? '',
    weight: { from: weightOf(was), to: weightOf(is) },
    otherFields: op === 'update' && !changesOnlyWeight(change),
    leased: stated?.leased ?? change.current?.lease !== null,
    end,
  }
}

/** Whether the new value is, byte for byte, the current value with another weight. */
function changesOnlyWeight({ layout, current, value, before, after }: KeyPlan): boolean {
  const [is] = after
  if (layout.weightless !== null || before.length === 0 || !is || !current || !value) return false
  return Buffer.compare(layout.withWeight(current.value, is.weight), value) === 0
}
