import type { Chooser, Policy } from '../../policies/index.js'
import type { RotationChange } from '../resolver/observer.js'
import type { Member } from './member.js'
import { RatioChooser, type Share } from './ratio.js'
import { Rotation } from './rotation.js'
import { StateCounts } from './state-counts.js'

/** The members of one priority, in one rotation per registry. Usually there is only one registry. */
export class Level<One extends Member> {
  /** The chooser that picks use. Replaced by the first member of the first registry, and of the second one. */
  chooser: Pick<Chooser<One>, 'choose'>
  readonly stateCounts = new StateCounts<One>()
  /** By the name of the registry. */
  private readonly shares = new Map<string, Share<One>>()
  /** Null while there is only one registry. */
  private ratio: RatioChooser<One> | null = null
  /** Whether all members must be reported again, because their weights now depend on the ratio of registries. */
  private isRatioNew = false

  constructor(
    private readonly policy: Policy,
    readonly priority: number,
  ) {
    this.chooser = { choose: () => null }
  }

  /** The number of members in rotation. */
  get size(): number {
    let size = 0
    for (const { rotation } of this.shares.values()) size += rotation.size
    return size
  }

  /** The rotation of all members; null before the first member, or if there are several registries. */
  get only(): Rotation<One> | null {
    const [first, second] = this.shares.values()
    return second === undefined ? (first?.rotation ?? null) : null
  }

  place(member: One): void {
    const share = this.shareOf(member)
    share.rotation.place(member)
    this.stateCounts.update(member)
    this.ratio?.update(share)
  }

  remove(member: One): void {
    const share = this.shareOf(member)
    share.rotation.remove(member)
    this.stateCounts.remove(member)
    this.ratio?.update(share)
  }

  rotationOf(member: One): Rotation<One> {
    return this.shareOf(member).rotation
  }

  /** The changes since the last call. @param wantsShares whether to set `shareWeight`, which costs O(members) */
  takeChanges(wantsShares: boolean): RotationChange[] {
    const isAll = this.isRatioNew
    this.isRatioNew = false
    return [...this.shares.values()].flatMap((share) => {
      const changes = share.rotation.takeChanges() ?? []
      const isReported = wantsShares && this.ratio !== null && (changes.length > 0 || isAll)
      return isReported ? [...changes.filter(({ weight }) => weight === 0), ...inRatio(share)] : changes
    })
  }

  /** All members in rotation. */
  all(): RotationChange[] {
    const { ratio } = this
    return [...this.shares.values()].flatMap((share) => (ratio ? inRatio(share) : inRotation(share)))
  }

  private shareOf({ endpoint: { registration } }: One): Share<One> {
    // A policy that reads the pin needs all members in one rotation, because a pin may name an endpoint of any
    // registry.
    const origin = this.policy.reads.includes('pin') ? undefined : registration.origin
    const { registry = '', weight = 1 } = origin ?? {}
    const known = this.shares.get(registry)
    if (known) return known
    const share = { registry, weight, rotation: new Rotation<One>(this.policy) }
    this.shares.set(registry, share)
    if (this.shares.size === 1) this.chooser = share.rotation.chooser
    else this.addToRatio(share)
    return share
  }

  private addToRatio(share: Share<One>): void {
    if (!this.ratio) {
      this.ratio = new RatioChooser(this.policy)
      for (const known of this.shares.values()) this.ratio.update(known)
      this.chooser = this.ratio
      this.isRatioNew = true
    }
    this.ratio.update(share)
  }
}

function inRotation<One extends Member>({ rotation }: Share<One>): RotationChange[] {
  return [...rotation.all()].map(([endpoint, weight]) => ({ endpoint, weight, isAway: false }))
}

/** The members of a registry that are in rotation, with a `shareWeight` that is comparable across registries. */
function inRatio<One extends Member>(share: Share<One>): RotationChange[] {
  const members = inRotation(share)
  const total = members.reduce((sum, { weight }) => sum + weight, 0)
  return members.map((member) => ({ ...member, shareWeight: (share.weight * member.weight) / total }))
}
