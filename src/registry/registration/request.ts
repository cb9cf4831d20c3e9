import type { EndpointRecord } from '../../domain/endpoint.js'

/** What to register, and how. */
export interface RegistrationRequest {
  /** One endpoint, or several of one process: each has a key, and all have one lease. */
  readonly registered: EndpointRecord | readonly [EndpointRecord, ...EndpointRecord[]]
  /** What is asked for: etcd may grant more. */
  readonly ttlSeconds: number
  /** Takes a key that somebody else holds. Default: no. */
  readonly takeover?: boolean
  /** What to do when somebody deletes a key while its lease lives, that is, on purpose. Default: exit. */
  readonly onDelete?: 'exit' | 'reregister'
}
