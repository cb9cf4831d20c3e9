import type { DiscoError } from '../../domain/errors.js'
import type { RegistrationEvents } from '../../registry/registration/events.js'
import type { Probed } from '../health/probes.js'
import type { ProcessEnd } from '../processes/child-process.js'

/** Events of a registrar: those of its registration, while it is held, and its own. Each is emitted once. */
export interface RegistrarEvents extends RegistrationEvents {
  /** All that was asked for is registered, and can be weighed and drained. */
  held: []
  /** Somebody else ended it: deregistered on purpose, or taken over with a CONFLICT. */
  lost: [{ readonly conflict: DiscoError | null }]
  /** We ended it: the keys are gone. */
  deregistered: []
  /** We ended it and etcd could not be told: the keys go with their lease. */
  lapsing: [{ readonly cause: DiscoError }]

  // Of the server and its health.
  started: [{ readonly pid: number }]
  probed: [Probed & { readonly tookMs: number }]
  /** It was never healthy so far, for another reason than before. */
  failing: [{ readonly detail: string; readonly isRefused: boolean }]
  healthy: [{ readonly detail: string; readonly afterMs: number; readonly again: boolean }]
  unhealthy: [{ readonly detail: string }]

  // On the way out.
  /** Either at weight 0, or, where there is no weight to set, with the keys out already. */
  draining: [{ readonly drainMs: number; readonly isOut: boolean }]
  /** A weight that the registrar itself wanted could not be set. */
  unweighed: [{ readonly cause: DiscoError }]
  stopping: [{ readonly killAfterMs: number }]
  killed: []
  /** The server's process ended. */
  exited: [ProcessEnd]
}
