import type { Leases } from '../leases.js'
import type { Store } from '../store.js'
import type { Headers } from '../wire/responses.js'

/** State shared by the services of one registry. */
export interface Context {
  readonly store: Store
  readonly leases: Leases
  readonly headers: Headers
}
