import type { DiscoError } from '../../domain/errors.js'
import type { RegistrationEvents } from '../../registry/registration/events.js'
import type { Probed } from '../health/probes.js'
import type { ProcessEnd } from '../processes/child-process.js'

/** Events of a registrar: those of the registration that it holds, and its own. */
export interface RegistrarEvents extends RegistrationEvents {
  /** All endpoints are registered, and their weights can be set. */
  held: []
  /** Another client ended the registration: deregistered on purpose (null), or taken over (CONFLICT). */
  lost: [{ readonly conflict: DiscoError | null }]
  /** The registrar removed its keys. */
  deregistered: []
  /** The registrar ended the registration, and etcd did not confirm it: the keys disappear when their lease lapses. */
  lapsing: [{ readonly cause: DiscoError }]

  // The server and its health.
  started: [{ readonly pid: number }]
  probed: [Probed & { readonly tookMs: number }]
  /** The server has never been healthy; emitted again when the reason changes. */
  failing: [{ readonly detail: string; readonly isRefused: boolean }]
  healthy: [{ readonly detail: string; readonly afterMs: number; readonly again: boolean }]
  unhealthy: [{ readonly detail: string }]

  // The end.
  /** The drain begins: next, the weights are set to 0 or, if the layout has none, the keys are removed (`isOut`). */
  draining: [{ readonly drainMs: number; readonly isOut: boolean }]
  /** A weight change by the registrar itself failed. */
  weightFailed: [{ readonly cause: DiscoError }]
  stopping: [{ readonly killAfterMs: number }]
  killed: []
  /** The server's process ended. */
  exited: [ProcessEnd]
}
