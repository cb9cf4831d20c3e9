import type { Registrar } from '../../agent/registrar/registrar.js'
import { writeRemark } from '../output/remark.js'
import { duration, seconds } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'

/** A server that is not healthy after this time is reported. Before that, it may still be starting. */
const QUIET_START_MS = 5_000

/** Facts about the server for the remarks of `register`. */
export interface ServerDescription {
  /** The supervised command, if any. */
  readonly command: string | null
  /** The addresses that it should listen at. */
  readonly addresses: string
  /** The state that counts as healthy, as a clause; null if the server is not probed. */
  readonly waitsFor: string | null
  readonly unhealthy: 'deregister' | 'weight0'
}

/** Prints remarks about the health and the end of the server. */
export function followServer(
  registrar: Registrar,
  { command, addresses, waitsFor, unhealthy }: ServerDescription,
): void {
  const startedAtMs = performance.now()
  let wasStopped = false
  let reported = ''
  let failure = { detail: 'no answer', isRefused: false }
  const reportUnhealthyStart = () => {
    // Without a probe and a command, the server was not checked.
    if (command === null && waitsFor === null) return
    const { detail, isRefused } = failure
    const forMs = performance.now() - startedAtMs
    if (forMs <= QUIET_START_MS || detail === reported) return
    reported = detail
    remark(`! not healthy after ${duration(forMs)}: ${detail}`)
    if (command !== null && isRefused)
      remark(`  Does it listen at ${addresses}? To register another address than that: --advertise`)
  }
  const timer = setTimeout(reportUnhealthyStart, QUIET_START_MS + 1).unref()
  if (command === null && waitsFor !== null) remark(`→ waiting for ${waitsFor}`)
  registrar
    .on('started', ({ pid }) => remark(`→ started ${command} (pid ${pid}); waiting for ${waitsFor}`))
    .on('failing', (failing) => {
      failure = failing
      reportUnhealthyStart()
    })
    .on('healthy', () => clearTimeout(timer))
    .on('registered', () => clearTimeout(timer))
    .on('unhealthy', ({ detail }) => {
      const what = unhealthy === 'weight0' ? 'weight 0 until it is back' : 'deregistering until it is back'
      remark(`! unhealthy: ${detail}; ${what}`)
    })
    .on('weightFailed', ({ cause }) => remark(`! the weight could not be set: ${cause.message}`))
    .on('draining', ({ drainMs, isOut }) => {
      const how = isOut ? 'no weight to set, so deregistering, then waiting' : 'weight 0 for'
      remark(`→ draining: ${how} ${seconds(drainMs)}`)
    })
    .on('lost', ({ conflict }) => {
      if (command === null) return
      if (conflict) remark(`! ${conflict.message}; left unchanged`)
      remark('  the server keeps running, unregistered')
    })
    .on('stopping', ({ killAfterMs }) => {
      wasStopped = true
      remark(`→ stopping ${command} (SIGTERM; SIGKILL after ${seconds(killAfterMs)})`)
    })
    .on('killed', () => remark(`! SIGKILL to ${command} and what it started`))
    .on('exited', ({ code, signal }) => {
      clearTimeout(timer)
      if (!wasStopped || code !== 0)
        remark(`${wasStopped ? ' ' : '!'} ${command} ended (${signal ?? `exit ${code}`})`)
    })
}

function remark(line: string): void {
  writeRemark(visible(line))
}
