import type { Endpoint } from '../../domain/endpoint.js'
import { type EndpointFilter, requireChosen } from '../../domain/endpoint-filter.js'
import { DiscoError } from '../../domain/errors.js'
import { LiveSnapshot } from '../../domain/live-snapshot.js'
import { endpointsOf } from '../../domain/snapshot.js'
import type { EndpointList, Registry } from '../../registry/registry.js'
import { endpointsOfServices } from '../../registry/service-summary.js'

/** The endpoints of a service, or of all services, kept current by a watch. */
export class FollowedList {
  readonly snapshot = new LiveSnapshot()
  /** Why the list may be wrong; null while it is current. */
  stale: DiscoError | null = null
  /** The error that ended the watch; null if none did. */
  failure: unknown = null

  constructor(
    private readonly registry: Registry,
    private readonly service: string | undefined,
    private readonly signal: AbortSignal,
  ) {}

  /** Whether a list was received and is current. */
  get isLive(): boolean {
    return !this.snapshot.hasNoList && this.stale === null
  }

  /** Follows until the signal aborts. Never rejects. @param onUpdate called after each update, before the next */
  async follow(onUpdate: () => void): Promise<void> {
    try {
      for await (const update of this.registry.follow(this.service, this.signal)) {
        this.stale = update.type === 'stale' ? update.cause : null
        this.snapshot.apply(update)
        onUpdate()
      }
    } catch (error) {
      this.failure = error
    }
  }

  /**
   * Whether the list is as new as etcd's data. Reads from etcd, because a watch whose connection hangs shows no error.
   *
   * @throws DiscoError if etcd does not answer
   */
  async isUpToDate(): Promise<boolean> {
    const listing = await this.registry.list(this.service, { signal: this.signal })
    return this.isLive && hasAllOf(this.snapshot, listing)
  }

  /**
   * The error NOT_FOUND, with similar names as suggestions, if the filter selects no endpoint. Null if it selects some,
   * or etcd does not answer.
   */
  async whyNothing(filter: EndpointFilter): Promise<DiscoError | null> {
    const endpoints = endpointsOfServices(endpointsOf(this.snapshot), this.service)
    try {
      if (endpoints.length > 0 || this.service === undefined) requireChosen(filter, endpoints, this.service)
      else await this.registry.listExisting(this.service, { signal: this.signal })
      return null
    } catch (thrown) {
      const error = DiscoError.from(thrown)
      // The watch reports other errors.
      return error.code === 'NOT_FOUND' ? error : null
    }
  }
}

/** Whether a snapshot is at least as new as a list: it shows every change that the list shows. */
function hasAllOf(snapshot: LiveSnapshot, { revision, endpoints }: EndpointList): boolean {
  if (endpoints.some(({ modRevision }) => modRevision > snapshot.revision)) return false
  const listed = new Set(endpoints.map(({ key }) => key))
  const isLater = ({ modRevision }: Endpoint) => modRevision > revision
  return [...snapshot.byKey].every(([key, known]) => listed.has(key) || known.every(isLater))
}
