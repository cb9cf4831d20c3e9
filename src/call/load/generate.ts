import { closedLoop } from './closed-loop.js'
import type { Load, MakeCall } from './load.js'
import { openLoop } from './open-loop.js'

/** Makes the calls of a load, and resolves when the last has ended; a signal ends the making of new ones. */
export function generate(load: Load, make: MakeCall, signal: AbortSignal): Promise<void> {
  return load.perSecond === null
    ? closedLoop(load, make, signal)
    : openLoop(load, load.perSecond, make, signal)
}
