import type { StepsDone } from '../../agent/shift-steps.js'
import { roundShare, type WeightChangeDoc } from '../../domain/documents.js'
import type { Endpoint } from '../../domain/endpoint.js'
import { isChosen } from '../../domain/endpoint-filter.js'
import { findLayout } from '../../domain/layouts/index.js'
import { WHOLE_PPM } from '../../domain/share-plan.js'
import type { ShiftChange, ShiftResult } from '../../registry/shift/shift.js'
import type { NamedPart } from '../flags/share.js'

export interface ShiftDoc {
  readonly schema: 'disco.shift/v1'
  readonly service: string
  readonly rev: string
  /** `back`: the guard failed, and the weights from before the shift were restored. */
  readonly end: 'done' | 'planned' | 'back' | 'interrupted' | 'undone'
  readonly dryRun: boolean
  /** `disco shift SERVICE --undo --rev` with this revision restores the weights from before the shift. */
  readonly beforeRev: string
  /** The requested shares, and the shares before and after. Shares are from 0 to 1. */
  readonly parts: readonly {
    readonly selection: string
    readonly share: { readonly asked: number; readonly from: number; readonly to: number }
  }[]
  readonly changes: readonly ShiftChangeDoc[]
  /** Endpoints whose weight an undo, or the end of a shift in steps, did not restore. */
  readonly leftOut: readonly { readonly key: string; readonly addr: string; readonly weight: number }[]
  /** The weight that replaced 0 when weights were restored to a service that had none; null otherwise. */
  readonly insteadOfZero: number | null
  /** The completed steps. */
  readonly steps: readonly {
    readonly rev: string
    readonly share: number
    /** The result of the guard; null if there is none, or it did not run. */
    readonly guard: { readonly ok: boolean; readonly text: string } | null
  }[]
  /** Whether some clients read weight 0 in this layout as their default weight. They do not keep the shares. */
  readonly zeroIsDefault: boolean
  /** Sentences about clients that ignore a new weight, and about restored weights that are not the former ones. */
  readonly hints: readonly string[]
}

interface ShiftChangeDoc extends WeightChangeDoc {
  readonly version: string
  readonly lease: string | null
  readonly share: { readonly from: number; readonly to: number }
}

interface Made {
  readonly end: ShiftDoc['end']
  readonly parts?: readonly NamedPart[]
  readonly beforeRev: number
  readonly leftOut?: readonly Endpoint[]
  /** See `ShiftDoc.insteadOfZero`. */
  readonly insteadOfZero?: number | null
  readonly steps?: StepsDone['steps']
  readonly sharesPpm?: readonly number[]
  readonly dryRun?: boolean
}

export function shiftDoc(service: string, { revision, changes }: ShiftResult, made: Made): ShiftDoc {
  const { end, parts = [], beforeRev, leftOut = [], steps = [], sharesPpm = [], dryRun = false } = made
  const { insteadOfZero = null } = made
  const ofEqual =
    insteadOfZero === null
      ? []
      : [
          `${service} had no weights: weight ${insteadOfZero} instead of 0 keeps a part of the traffic beside new endpoints`,
        ]
  const caveats = changes.flatMap(({ endpoint, from, to }) => {
    const layout = findLayout(endpoint.layout)
    const zero = hintOfZero(endpoint)
    const ofZero = zero === null ? [] : [zero]
    return from === to ? [] : [...(layout?.weightCaveat ? [layout.weightCaveat] : []), ...ofZero]
  })
  return {
    schema: 'disco.shift/v1',
    service,
    rev: String(revision),
    end,
    dryRun,
    beforeRev: String(beforeRev),
    parts: parts.map((part) => ({
      selection: part.selection,
      share: { asked: part.sharePpm / WHOLE_PPM, ...sharesOf(part.filter, changes) },
    })),
    changes: changes.map(({ endpoint, from, to, shareFraction }) => ({
      key: endpoint.key,
      addr: endpoint.addr,
      version: endpoint.version,
      lease: endpoint.lease,
      from,
      to,
      share: { from: rounded(shareFraction.from), to: rounded(shareFraction.to) },
    })),
    leftOut: leftOut.map(({ key, addr, weight }) => ({ key, addr, weight })),
    insteadOfZero,
    steps: steps.map(({ shifted, guard }, at) => ({
      rev: String(shifted.revision),
      share: (sharesPpm[at] ?? 0) / WHOLE_PPM,
      guard,
    })),
    zeroIsDefault: changes.some(({ endpoint }) => hintOfZero(endpoint) !== null),
    hints: [...ofEqual, ...new Set(caveats)],
  }
}

/** How clients of the endpoint's layout read weight 0; null for any other weight, or if they read it as 0. */
function hintOfZero(endpoint: Endpoint): string | null {
  const hint = findLayout(endpoint.layout)?.hint(endpoint)
  return hint?.code === 'zero-is-default' ? hint.text : null
}

/** The share of the selected endpoints before and after. */
export function sharesOf(
  filter: NamedPart['filter'],
  changes: readonly ShiftChange[],
): { readonly from: number; readonly to: number } {
  // A condition on the weight is about the weight before the shift.
  const own = changes.filter(({ endpoint, from }) => isChosen(filter, { ...endpoint, weight: from }))
  const sum = (side: 'from' | 'to') => rounded(own.reduce((all, one) => all + one.shareFraction[side], 0))
  return { from: sum('from'), to: sum('to') }
}

/** Rounds like other shares; a share that would become 0 is rounded to a millionth. */
function rounded(fraction: number): number {
  return roundShare(fraction) || Math.round(fraction * WHOLE_PPM) / WHOLE_PPM
}
