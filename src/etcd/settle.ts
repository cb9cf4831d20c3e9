import { setImmediate as turn } from 'node:timers/promises'

/** Frames are read, then decoded, then delivered, each in a turn of its own. */
const TURNS = 3

/**
 * Resolves once what has arrived at this process is delivered. A busy or stopped process finds a deadline over
 * before it reads the answer that came in time: silence is only what is left after this.
 */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < TURNS; turns++) await turn()
}
