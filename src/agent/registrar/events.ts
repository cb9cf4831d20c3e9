import type { DiscoError } from '../../domain/errors.js'
import type { RegistrationReports } from '../../registry/registration/events.js'
import type { ProcessEnd } from '../processes/launch.js'

type Told<Name extends keyof RegistrationReports> = Parameters<NonNullable<RegistrationReports[Name]>>

/** What a registrar goes through, as events; each is told once. */
export interface RegistrarEvents {
  // Of the registration, while it is held.
  waiting: Told<'onWaiting'>
  registered: Told<'onRegistered'>
  /** All that was asked for is registered, and can be weighed and drained. */
  held: []
  changed: Told<'onChanged'>
  reattached: Told<'onReattached'>
  leaseLost: Told<'onLeaseLost'>
  deleted: Told<'onDeleted'>
  refused: Told<'onRefused'>
  dropped: Told<'onDropped'>
  trouble: Told<'onTrouble'>
  recovered: Told<'onRecovered'>
  /** Somebody else ended it: deregistered on purpose, or taken over with a CONFLICT. */
  lost: [{ readonly conflict: DiscoError | null }]
  /** We ended it: the keys are gone. */
  deregistered: []
  /** We ended it and etcd could not be told: the keys go with their lease. */
  lapsing: [{ readonly cause: DiscoError }]

  // Of the server and its health.
  started: [{ readonly pid: number }]
  probed: [{ readonly isHealthy: boolean; readonly said: string; readonly tookMs: number }]
  /** It was never healthy so far, for another reason than before. */
  failing: [{ readonly said: string }]
  healthy: [{ readonly said: string; readonly afterMs: number; readonly again: boolean }]
  unhealthy: [{ readonly said: string }]

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

/** A registration's reports as events. */
export function reportsOf(
  emit: <Name extends keyof RegistrarEvents>(name: Name, ...told: RegistrarEvents[Name]) => void,
): RegistrationReports {
  return {
    onWaiting: (told) => emit('waiting', told),
    onRegistered: (told) => emit('registered', told),
    onChanged: (told) => emit('changed', told),
    onReattached: (told) => emit('reattached', told),
    onLeaseLost: (told) => emit('leaseLost', told),
    onDeleted: (told) => emit('deleted', told),
    onRefused: (told) => emit('refused', told),
    onDropped: (told) => emit('dropped', told),
    onTrouble: (cause) => emit('trouble', cause),
    onRecovered: (told) => emit('recovered', told),
  }
}
