/**
 * Preload (`node --import`) that steps the wall clock of its process: by `CLOCK_STEP_MS`, at each SIGUSR2. As
 * with a step of the system's clock, timers and `performance.now()` do not notice.
 */
const SystemDate = Date
let offsetMs = 0

class SteppedDate extends SystemDate {
  constructor(...args) {
    if (args.length === 0) super(SystemDate.now() + offsetMs)
    else super(...args)
  }

  static now() {
    return SystemDate.now() + offsetMs
  }
}
globalThis.Date = SteppedDate

process.on('SIGUSR2', () => {
  offsetMs += Number(process.env.CLOCK_STEP_MS)
})
