import { Flags, type Interfaces } from '@oclif/core'
import type { Load } from '../../call/load/load.js'
import { defaultMaxOutstanding, maxCallsInHeap } from '../../call/load/load.js'
import { readDurationMs, timerDelay } from '../../domain/duration.js'
import { DiscoError } from '../../domain/errors.js'
import { integerFlag, readBy } from './custom.js'
import { waitFlag } from './duration.js'

/** The number, rate and duration of calls. */
export const loadFlags = {
  n: integerFlag({
    char: 'n',
    helpGroup: 'LOAD',
    min: 1,
    max: 100_000_000,
    description: 'number of calls [default: 1; with --duration no limit]',
  }),
  concurrency: integerFlag({
    char: 'c',
    helpGroup: 'LOAD',
    min: 1,
    max: 100_000,
    description:
      'maximum number of outstanding calls [default: 1; with --rate as many as fit in 300 MB, 15,000]',
  }),
  duration: waitFlag({ helpGroup: 'LOAD', helpValue: '10s', description: 'start calls for this time' }),
  rate: Flags.custom<number>({
    parse: readBy(readPerSecond, 'calls per second or minute, above 0, such as 500, 500/s or 30/m'),
  })({
    helpGroup: 'LOAD',
    helpValue: 'N/s',
    description:
      'calls to start per second, up to the capacity of client and backends; latency counts from when a call was due',
  }),
  warmup: Flags.custom<Warmup>({
    parse: readBy(readWarmup, `a number of calls, or a time up to 596h, such as 100 or 2s`),
  })({
    helpGroup: 'LOAD',
    helpValue: 'N|2s',
    description: 'calls or time before the counted calls',
  }),
  deadline: waitFlag({ helpGroup: 'LOAD', default: 5_000, description: 'limit of each call' }),
}

export type LoadFlags = Partial<Interfaces.InferredFlags<typeof loadFlags>>

/** The number of calls or the duration of a warm-up. The other one is Infinity. */
type Warmup = Pick<Load, 'calls' | 'durationMs'>

/** Whether the run is a single call: then its reply is printed, and no report. */
export function isSingleCall({ n = 1, duration }: LoadFlags): boolean {
  return n === 1 && duration === undefined
}

/**
 * The load that the flags describe.
 *
 * @param heapLimitBytes the heap limit of V8, which bounds the outstanding calls: with more, the process would end
 *   without a report
 * @throws DiscoError USAGE
 */
export function loadOf({ n, concurrency, duration, rate }: LoadFlags, heapLimitBytes: number): Load {
  const idle = concurrency === undefined ? (rate === undefined ? null : '--rate') : '-c'
  if (idle !== null && n === undefined && duration === undefined) {
    throw new DiscoError('USAGE', `${idle} has no effect without --n or --duration`, {
      suggestions: [`Such as: disco call hello SayHello --n 100 ${idle} ${concurrency ?? `${rate}/s`}`],
    })
  }
  if (n === 1 && duration === undefined && (concurrency ?? 1) > 1) {
    throw new DiscoError('USAGE', '-c has no effect with --n 1', {
      suggestions: [`Such as: disco call hello SayHello --n 100 -c ${concurrency}`],
    })
  }
  return {
    calls: n ?? (duration === undefined ? 1 : Number.POSITIVE_INFINITY),
    durationMs: duration ?? Number.POSITIVE_INFINITY,
    concurrency:
      concurrency === undefined
        ? rate === undefined
          ? 1
          : defaultMaxOutstanding(heapLimitBytes)
        : Math.min(concurrency, maxCallsInHeap(heapLimitBytes)),
    perSecond: rate ?? null,
  }
}

/** The warm-up: `load` with another number of calls or duration. Null without --warmup. */
export function warmupOf({ warmup }: LoadFlags, load: Load): Load | null {
  return warmup === undefined ? null : { ...load, ...warmup }
}

function readWarmup(text: string): Warmup | undefined {
  if (/^\d+$/.test(text)) return { calls: Number(text), durationMs: Number.POSITIVE_INFINITY }
  const durationMs = timerDelay(readDurationMs(text))
  return durationMs === undefined ? undefined : { calls: Number.POSITIVE_INFINITY, durationMs }
}

const SECONDS_PER_UNIT = { s: 1, m: 60 } as const

/** Reads `500`, `500/s` or `30/m`, above 0. */
function readPerSecond(text: string): number | undefined {
  const [, amount, unit = 's'] = /^(\d{1,9}(?:\.\d{1,6})?)(?:\/([sm]))?$/.exec(text) ?? []
  const perSecond = Number(amount) / SECONDS_PER_UNIT[unit as keyof typeof SECONDS_PER_UNIT]
  return perSecond > 0 ? perSecond : undefined
}
