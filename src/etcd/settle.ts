import { setImmediate as turn } from 'node:timers/promises'

/** Turns of the event loop: frames are read in one, decoded in the next, delivered in the third. */
const TURNS = 3

/**
 * Resolves once all data that has reached this process is delivered. A busy or stopped process sees a deadline pass
 * before it reads an answer that came in time, so silence is judged only after this.
 */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < TURNS; turns++) await turn()
}
