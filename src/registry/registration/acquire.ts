import { onAbort } from '../../domain/abortable.js'
import type { EndpointRecord, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Layout } from '../../domain/layouts/index.js'
import type { EtcdClient } from '../../etcd/client.js'
import { keepAlive } from '../../etcd/keep-alive.js'
import { grantLease } from '../../etcd/lease.js'
import type { StoredForm } from './acquire-key.js'
import type { EventSink, RegistrationEvents } from './events.js'
import { explainFailedClaim, type TakenKey } from './failed-claim.js'
import { HeldKey, HeldLease } from './held-key.js'

/** The endpoints to register, and how to register them. */
export interface RegistrationRequest {
  /** One endpoint, or several of one process: each has a key, and all share one lease. */
  readonly registered: EndpointRecord | readonly [EndpointRecord, ...EndpointRecord[]]
  /** The requested TTL. etcd may grant a longer one. */
  readonly ttlSeconds: number
  /** Whether to take a key that another registrar holds. Default: false. */
  readonly takeover?: boolean
  /** Reaction to the deletion of a key whose lease lives, which was therefore deleted on purpose. Default: exit. */
  readonly onDelete?: 'exit' | 'reregister'
  /** Failures to retry until the signal aborts, instead of rejecting with them. Default: none. */
  readonly retry?: 'none' | 'outages' | 'outages and denials'
  /** @internal The key and value of an endpoint from a file; null if the layout writes them. */
  readonly stored?: (record: EndpointRecord) => StoredForm | null
  /**
   * @internal If given, only the keys that no other registrar holds are registered. Called with the conflict of each
   * other key, unless all are held: then the first conflict is thrown. By default, one held key fails the whole request.
   */
  readonly onHeldElsewhere?: (conflict: DiscoError) => void
}

/** The endpoints of a request, as a list. */
export function recordsOf({ registered }: RegistrationRequest): readonly EndpointRecord[] {
  return 'service' in registered ? [registered] : registered
}

/** The result of acquiring: the lease, and the keys under it in the order of the request; at least one. */
export interface AcquiredKeys {
  readonly lease: HeldLease
  readonly keys: readonly HeldKey[]
}

/**
 * Grants a lease and claims the keys under it: all, or those that are free if the request has `onHeldElsewhere`. After a
 * failure or an abort, the lease is revoked before this rejects.
 *
 * @throws DiscoError CONFLICT, OUTCOME_UNKNOWN, ETCD_UNREACHABLE, ETCD_DENIED
 */
export async function acquire(
  client: EtcdClient,
  layout: Layout,
  request: RegistrationRequest,
  events: EventSink<RegistrationEvents>,
  signal: AbortSignal,
): Promise<AcquiredKeys> {
  const { ttlSeconds, takeover = false, onDelete = 'exit', onHeldElsewhere } = request
  const records = recordsOf(request)
  const lease = new HeldLease(client, ttlSeconds, await grantLease(client.under(signal), ttlSeconds))
  // Not AbortSignal.any: a caller's AbortSignal.timeout within it would be garbage collected, and never fire.
  const failed = new AbortController()
  const abort = () => failed.abort(signal.reason)
  const forget = onAbort(signal, abort)
  const waiting = new AbortController()
  const taken: TakenKey[] = []
  const conflicts: DiscoError[] = []
  const leave = (error: unknown): null => {
    if (!onHeldElsewhere || !(error instanceof DiscoError) || error.code !== 'CONFLICT') throw error
    conflicts.push(error)
    return null
  }
  void keepAlive(client, lease.current, {}, waiting.signal)
  try {
    if (signal.aborted) abort()
    const context = { client, layout, lease, onDelete, events }
    const keys = records.map((record) => new HeldKey(context, record, request.stored?.(record) ?? null))
    const revisions = await allOrFirstError(
      keys.map((key) => {
        const { registered } = key
        const onTaken = (certainty: TakenKey['certainty']) => taken.push({ registered, certainty })
        return key.claim(takeover, onTaken, failed.signal).catch(leave)
      }),
      failed,
    )
    const held = keys.filter((key, index) => {
      const revision = revisions[index] ?? null
      if (revision !== null) key.noteHeld(revision, { again: false })
      return revision !== null
    })
    const [last] = held.length === 0 ? conflicts.splice(0, 1) : []
    for (const conflict of conflicts) onHeldElsewhere?.(conflict)
    if (last) throw last
    return { lease, keys: held }
  } catch (error) {
    const isRevoked = await lease.revoke().then(
      () => true,
      () => false,
    )
    throw explainFailedClaim(error, { records, taken, lease: lease.current, isRevoked })
  } finally {
    forget()
    waiting.abort()
  }
}

/** Waits for all claims, even after an error: none may succeed after the lease was given up. */
async function allOrFirstError(
  claims: readonly Promise<Revision | null>[],
  failed: AbortController,
): Promise<(Revision | null)[]> {
  const errors: unknown[] = []
  const revisions = await Promise.all(
    claims.map((claim) =>
      claim.catch((error: unknown) => {
        errors.push(error)
        failed.abort()
        return null
      }),
    ),
  )
  if (errors.length > 0) throw errors[0]
  return revisions
}

/**
 * Checks that a layout can write these endpoints, each under its own key and with all of its metadata.
 *
 * @throws DiscoError USAGE
 */
export function checkWritable(layout: Layout, records: readonly EndpointRecord[]): void {
  const addrByKey = new Map<string, string>()
  for (const record of records) {
    const { addr, metadata } = record
    const { key, value } = layout.encode([record], '1')
    const other = addrByKey.get(key)
    if (other !== undefined) {
      throw new DiscoError('USAGE', `${other} and ${addr} would share the key ${key}`)
    }
    addrByKey.set(key, addr)
    const decoded = layout.decode(key, value)
    const kept = decoded.kind === 'endpoints' ? decoded.records[0].metadata : {}
    if (Object.entries(metadata).some(([name, text]) => kept[name] !== text)) {
      throw new DiscoError('USAGE', `The layout ${layout.name} has no place for this metadata`)
    }
  }
}
