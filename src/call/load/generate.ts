import { closedLoop } from './closed-loop.js'
import type { Load, MakeCall } from './load.js'
import { openLoop } from './open-loop.js'
import { Pace } from './pace.js'

/**
 * Makes the calls of a load, and resolves when the last has ended; a signal ends the making of new ones.
 *
 * @param pace counts the starts
 */
export function generate(
  load: Load,
  make: MakeCall,
  signal: AbortSignal,
  pace: Pace = new Pace(),
): Promise<void> {
  return load.perSecond === null
    ? closedLoop(load, make, signal, pace)
    : openLoop(load, load.perSecond, make, signal, pace)
}
