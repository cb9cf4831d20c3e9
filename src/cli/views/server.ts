import type { Registrar } from '../../agent/registrar/registrar.js'
import { duration, seconds } from '../render/units.js'
import { visible } from '../render/visible.js'

/** A server that takes its time to start is no news; one that still is not healthy after this long is. */
const QUIET_START_MS = 5_000

/** What `register` has to say of the server beside the registration. */
export interface ServerWords {
  /** The command, where there is one that runs. */
  readonly command: string | null
  /** Where it should listen. */
  readonly addresses: string
  /** What its health is asked of, as a clause. */
  readonly waitsFor: string | null
  readonly unhealthy: 'deregister' | 'weight0'
}

/** Tells of the server's health and of its end, in remarks. */
export function followServer(
  registrar: Registrar,
  { command, addresses, waitsFor, unhealthy }: ServerWords,
): void {
  const startedAtMs = performance.now()
  let wasTold = false
  let lastTold = ''
  const stillWaiting = (detail: string) => {
    // Without a probe and a command, nothing has asked the server.
    if (command === null && waitsFor === null) return
    const forMs = performance.now() - startedAtMs
    if (forMs <= QUIET_START_MS || detail === lastTold) return
    lastTold = detail
    remark(`! not healthy after ${duration(forMs)}: ${detail}`)
    if (command !== null && detail === 'connection refused')
      remark(`  Does it listen at ${addresses}? To register another address than that: --advertise`)
  }
  let lastFailure = 'no answer'
  const timer = setTimeout(() => stillWaiting(lastFailure), QUIET_START_MS + 1).unref()
  if (command === null && waitsFor !== null) remark(`→ waiting for ${waitsFor}`)
  registrar
    .on('started', ({ pid }) => remark(`→ started ${command} (pid ${pid}); waiting for ${waitsFor}`))
    .on('failing', ({ detail }) => {
      lastFailure = detail
      stillWaiting(detail)
    })
    .on('healthy', () => clearTimeout(timer))
    .on('registered', () => clearTimeout(timer))
    .on('unhealthy', ({ detail }) => {
      const what = unhealthy === 'weight0' ? 'weight 0 until it is back' : 'deregistering until it is back'
      remark(`! unhealthy: ${detail}; ${what}`)
    })
    .on('unweighed', ({ cause }) => remark(`! the weight could not be set: ${cause.message}`))
    .on('draining', ({ drainMs, isOut }) => {
      const how = isOut ? 'no weight to set, so deregistering, then waiting' : 'weight 0 for'
      remark(`→ draining: ${how} ${seconds(drainMs)}`)
    })
    .on('lost', ({ conflict }) => {
      if (command === null) return
      if (conflict) remark(`! ${conflict.message}; not touched`)
      remark('  the server goes on, unregistered')
    })
    .on('stopping', ({ killAfterMs }) => {
      wasTold = true
      remark(`→ stopping ${command} (SIGTERM; SIGKILL after ${seconds(killAfterMs)})`)
    })
    .on('killed', () => remark(`! SIGKILL to ${command} and what it started`))
    .on('exited', ({ code, signal }) => {
      clearTimeout(timer)
      if (!wasTold || code !== 0)
        remark(`${wasTold ? ' ' : '!'} ${command} ended (${signal ?? `exit ${code}`})`)
    })
}

function remark(line: string): void {
  process.stderr.write(`${visible(line)}\n`)
}
