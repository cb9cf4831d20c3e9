import type { Reader } from '../../grpc/invoker.js'
import { closedLoop } from './closed-loop.js'
import type { Load, MakeCall } from './load.js'
import { openLoop } from './open-loop.js'
import { Pace } from './pace.js'
import { NO_READER } from './pause.js'

/**
 * Makes the calls of a load, and resolves when the last has ended; the signal stops new calls.
 *
 * @param pace counts the starts
 * @param reader no call is started while it is behind
 */
export function generate(
  load: Load,
  make: MakeCall,
  signal: AbortSignal,
  pace: Pace = new Pace(),
  reader: Reader = NO_READER,
): Promise<void> {
  return load.perSecond === null
    ? closedLoop(load, make, signal, pace, reader)
    : openLoop(load, load.perSecond, make, signal, pace, reader)
}
