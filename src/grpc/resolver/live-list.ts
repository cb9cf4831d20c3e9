import type { OfRegistry, Stale, Update } from '../../domain/discovery.js'
import type { Endpoint, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Origins } from '../../domain/origins.js'
import { DeliveryWindow, MAX_MS, MIN_MS } from './delivery-window.js'
import { ListPart, type RegistryState } from './list-part.js'

/** The endpoint list of a service, as a channel receives it. */
export interface ResolvedList {
  /** The etcd revision; 0 before the first list. With several registries, the revision of the first one with a list. */
  readonly revision: Revision
  /** All endpoints of the service, including undialable ones. The same array until an endpoint changes. */
  readonly registered: readonly Endpoint[]
  /**
   * Why the registry is unreachable; null while it is reachable. With several registries, null while one is reachable.
   */
  readonly stale: DiscoError | null
  /**
   * Time since the list was read from etcd, in milliseconds, if all of it came from the cache; null if any of it came
   * from etcd. With several registries, the greatest of their ages.
   */
  readonly cachedAgeMs: number | null
  /**
   * For a list without dialable endpoints: where the service was searched, and where it is registered instead. See
   * `Discovery.explainEmpty`.
   */
  readonly lookedIn?: string | null
  /** Whether the list may differ from the previous delivery; false if only `stale` or `cachedAgeMs` differs. */
  readonly isNew: boolean
  /** The state of each registry; absent if there is only one. */
  readonly registries?: readonly RegistryState[]
}

/** The endpoint list of a service, with the endpoints that a channel's target selects. */
export interface SelectedList extends ResolvedList {
  /**
   * The endpoints that the target selects, including undialable ones. Equals `registered` if the target has no
   * conditions, or has spilled over because no selected endpoint can receive calls.
   */
  readonly selected: readonly Endpoint[]
}

/**
 * How long the first list waits for registries of a better priority, so that the first calls go to their endpoints. An
 * etcd in the same data centre answers within this time; if it does not answer, calls are not delayed for long.
 */
const PRIORITY_WAIT_MS = 1_000

/**
 * The endpoint list of a service, kept up to date by the updates of a watch. A reset is delivered at once. Changes are
 * delivered through a {@link DeliveryWindow}, as are resets after the first list if there are several registries:
 * - A deletion waits for 20 ms. So the endpoint of a key that is put again at once, for example after a lost lease,
 *   keeps its connection.
 * - The deletion of the last key waits for 100 ms. If etcd ends all leases together, as etcd 3.4 may after its leader
 *   was suspended, an empty list would fail all calls until the keys are put again.
 *
 * The cost of an update depends on the number of changes. Only a delivery iterates over the whole list.
 *
 * With several registries, the list has one part per registry. The first list waits up to a second for registries of a
 * better priority than those that have answered. An empty first list waits until all registries have answered.
 */
export class LiveList {
  private readonly parts: readonly [ListPart, ...ListPart[]]
  private registered: readonly Endpoint[] | null = null
  private readonly window = new DeliveryWindow(() => this.deliverNew())
  private hasDelivered = false
  /** Ends the wait of the first list for registries of a better priority. */
  private priorityTimer: NodeJS.Timeout | null = null
  private isPriorityWaitOver = false

  /** @param origins the registries of the updates; null for a single registry, whose updates do not name it */
  constructor(
    private readonly deliver: (now: ResolvedList) => void,
    private readonly origins: Origins | null = null,
  ) {
    const [first, ...more] = (origins ?? []).map((origin) => new ListPart(origin))
    this.parts = [first ?? new ListPart(null), ...more]
  }

  /** Whether no registry's list has been received yet. */
  get hasNoList(): boolean {
    return this.parts.every(({ snapshot }) => snapshot.hasNoList)
  }

  /** Whether every registry has a current list from etcd. */
  get isConfirmed(): boolean {
    return this.parts.every((part) => !part.snapshot.hasNoList && part.cachedAgeMs === null && !part.stale)
  }

  /** The list with all updates, including undelivered ones. */
  get now(): ResolvedList {
    const { parts } = this
    const [only] = parts
    this.registered ??= parts.length === 1 ? only.endpoints : parts.flatMap(({ endpoints }) => endpoints)
    const { registered } = this
    const listed = parts.filter(({ snapshot }) => !snapshot.hasNoList)
    const ages = listed.map(({ cachedAgeMs }) => cachedAgeMs)
    return {
      revision: listed[0]?.snapshot.revision ?? 0,
      registered,
      stale: this.outageWith(null),
      cachedAgeMs: ages.length === 0 || ages.includes(null) ? null : Math.max(...ages.map(Number)),
      isNew: !this.hasNoList,
      ...(this.origins ? { registries: parts.map(({ state }) => state) } : {}),
    }
  }

  /** Why no registry can be reached after `update`, which is not applied; null if a registry can be reached. */
  outageWith(update: Stale | null): DiscoError | null {
    const outages = this.parts.map((part) => ({
      name: part.name,
      cause: update && belongsTo(update, part) ? update.cause : (part.stale?.cause ?? null),
    }))
    const causes = outages.flatMap(({ cause }) => cause ?? [])
    const [first] = causes
    if (first === undefined || causes.length < outages.length) return null
    if (causes.length === 1) return first
    const names = outages.map(({ name }) => name).join(', ')
    const reasons = outages.map(({ name, cause }) => `${name}: ${cause?.message}`).join('; ')
    return new DiscoError(first.code, `None of the registries ${names} can be used: ${reasons}`, {
      suggestions: [...new Set(causes.flatMap(({ suggestions }) => suggestions))],
      cause: first,
    })
  }

  /** The updates that recreate the current state: the list, and the outage if there is one. */
  get asUpdates(): Update[] {
    return this.parts.flatMap(({ asUpdates }) => asUpdates)
  }

  take(update: Update): void {
    const parts = this.parts.filter((part) => belongsTo(update, part))
    if (update.type === 'stale') {
      // With several registries the window stays open: a deletion in another registry may still be waiting.
      if (this.parts.length === 1) this.window.flush()
      for (const part of parts) part.take(update)
      if (this.isHeld) this.deliverNew()
      else if (!this.window.isPending) this.deliver({ ...this.now, isNew: false })
      return
    }
    for (const part of parts) part.take(update)
    this.registered = null
    if (update.type === 'reset' && this.parts.length > 1 && this.hasDelivered) this.window.open()
    else if (update.type === 'reset') {
      this.window.drop()
      this.deliverNew()
    } else if (parts.some(({ snapshot }) => snapshot.byKey.size === 0)) this.window.open(MAX_MS)
    else this.window.open(update.changes.some(({ type }) => type === 'delete') ? MIN_MS : 0)
  }

  close(): void {
    this.window.drop()
    if (this.priorityTimer) clearTimeout(this.priorityTimer)
  }

  private deliverNew(): void {
    if (this.mustWait()) return
    this.hasDelivered ||= !this.hasNoList
    this.deliver(this.now)
  }

  /** Whether a list has been received, but not delivered yet. */
  private get isHeld(): boolean {
    return !this.hasDelivered && !this.hasNoList
  }

  private mustWait(): boolean {
    if (this.hasDelivered || this.hasNoList) return false
    const silent = this.parts.filter(({ hasAnswered }) => !hasAnswered)
    if (silent.length === 0) return false
    const usable = this.parts.filter(({ endpoints }) => endpoints.some(({ problem }) => problem === null))
    if (usable.length === 0) return true
    if (this.isPriorityWaitOver) return false
    const best = Math.min(...usable.map(({ priority }) => priority))
    if (silent.every(({ priority }) => priority >= best)) return false
    this.priorityTimer ??= setTimeout(() => {
      this.isPriorityWaitOver = true
      this.deliverNew()
    }, PRIORITY_WAIT_MS)
    return true
  }
}

/** Whether an update is for this part. An update that does not name a registry is for all parts. */
function belongsTo({ registry }: OfRegistry, { name }: ListPart): boolean {
  return registry === undefined || registry === name
}
