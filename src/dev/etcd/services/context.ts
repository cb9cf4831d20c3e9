import type { Leases } from '../leases.js'
import type { Store } from '../store.js'
import type { Headers } from '../wire/responses.js'

/** What the services of one registry share. */
export interface Context {
  readonly store: Store
  readonly leases: Leases
  readonly headers: Headers
}
