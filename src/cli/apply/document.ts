import type { EndpointRecord } from '../../domain/endpoint.js'
import type { Applied } from '../../registry/apply/apply.js'
import type { ApplyPlan, LeftKey } from '../../registry/apply/plan.js'
import type { KeyPlan } from '../../registry/apply/plan-key.js'
import { firstDifference } from '../../registry/file/compare.js'

export interface ApplyDoc {
  readonly schema: 'disco.apply/v1'
  readonly file: string
  /** The revision of the last transaction; of the plan where nothing was written. */
  readonly rev: string
  /** The revision that the plan is against. */
  readonly planRev: string
  readonly dryRun: boolean
  /** `moved`: another client has changed keys since the plan, which were left as they are. */
  readonly end: 'planned' | 'done' | 'moved' | 'interrupted'
  readonly changes: readonly ApplyChangeDoc[]
  /** Number of keys that equal the file already. */
  readonly same: number
  /** Keys that --prune leaves: a lease holds them, or they cannot be read. */
  readonly left: readonly LeftKey[]
}

export interface ApplyChangeDoc {
  readonly op: 'add' | 'update' | 'remove'
  readonly service: string
  readonly key: string
  readonly layout: string
  /** All addresses under the key. */
  readonly addrs: readonly string[]
  readonly version: string
  /** Null for none: of a new or a removed key, and in a layout without weights. */
  readonly weight: { readonly from: number | null; readonly to: number | null }
  /** Whether an update changes more than the weight. */
  readonly otherFields: boolean
  /** Whether the file says that a lease is to hold it. */
  readonly leased: boolean
  /** `held`: by this process, as a registration. `open`: not tried. */
  readonly end: 'planned' | 'done' | 'already' | 'moved' | 'open' | 'held'
}

/** @param isHeld whether a change is left to a registration of this process */
export function applyDoc(
  file: string,
  plan: ApplyPlan,
  { applied, isHeld }: { readonly applied: Applied | null; readonly isHeld: (change: KeyPlan) => boolean },
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
  const reweighed = before.map((record) => ({ ...record, weight: is?.weight ?? 0 }))
  const isOnlyWeight = was?.weight !== is?.weight && isSameBut(reweighed, after)
  return {
    op: op === 'same' ? 'update' : op,
    service,
    key,
    layout: layout.name,
    addrs: (after.length > 0 ? after : before).map(({ addr }) => addr),
    version: (is ?? was)?.version ?? '',
    weight: { from: weightOf(was), to: weightOf(is) },
    otherFields: op === 'update' && !isOnlyWeight,
    leased: stated?.leased ?? change.current?.lease !== null,
    end,
  }
}

/** Whether nothing differs but the weight, which some layouts store as metadata. */
function isSameBut(before: readonly EndpointRecord[], after: readonly EndpointRecord[]): boolean {
  const unweighed = (records: readonly EndpointRecord[]) =>
    records.map((record) => {
      const { weight: _weight, ...metadata } = record.metadata
      return { ...record, metadata }
    })
  return firstDifference(unweighed(before), unweighed(after)) === null
}
