import { Flags } from '@oclif/core'
import type { Load } from '../../call/load/load.js'
import { carriedByHeap, defaultUnderWay } from '../../call/load/load.js'
import { DiscoError } from '../../domain/errors.js'
import { integerFlag } from './custom.js'
import { parseDurationMs } from './duration.js'

/** How many calls, how fast, and for how long. */
export const loadFlags = {
  n: integerFlag({
    char: 'n',
    helpGroup: 'LOAD',
    ...{ min: 1, max: 100_000_000 },
    description: 'how many calls [default: 1; with --duration no limit]',
  }),
  concurrency: integerFlag({
    char: 'c',
    helpGroup: 'LOAD',
    ...{ min: 1, max: 100_000 },
    description: 'most calls under way at a time [default: 1; with --rate what 300 MB carry, 15,000]',
  }),
  duration: Flags.string({ helpGroup: 'LOAD', helpValue: '10s', description: 'start calls for so long' }),
  rate: Flags.string({
    helpGroup: 'LOAD',
    helpValue: 'N/s',
    description:
      'start so many calls a second, as far as client and backends can; latency counts from when a call was due',
  }),
  warmup: Flags.string({
    helpGroup: 'LOAD',
    helpValue: 'N|2s',
    description: 'make so many calls, or calls for so long, before those that count',
  }),
  deadline: Flags.string({
    helpGroup: 'LOAD',
    ...{ default: '5s', helpValue: '<duration>' },
    description: 'how long each call may take',
  }),
}

export interface LoadFlags {
  readonly n?: number | undefined
  readonly concurrency?: number | undefined
  readonly duration?: string | undefined
  readonly rate?: string | undefined
  readonly warmup?: string | undefined
}

/** Whether one call is all that was asked for: then its reply is printed, and no report. */
export function isSingleCall({ n = 1, duration }: LoadFlags): boolean {
  return n === 1 && duration === undefined
}

/**
 * @param heapLimitBytes of V8; more calls under way than it carries would end the process without a report
 * @throws DiscoError USAGE
 */
export function loadOf({ n, concurrency, duration, rate }: LoadFlags, heapLimitBytes: number): Load {
  const perSecond = rate === undefined ? null : parsePerSecond(rate)
  const idle = concurrency === undefined ? (rate === undefined ? null : '--rate') : '-c'
  if (idle !== null && n === undefined && duration === undefined) {
    throw new DiscoError('USAGE', `${idle} has no effect without --n or --duration`, {
      suggestions: [`Such as: disco call hello SayHello --n 100 ${idle} ${concurrency ?? rate}`],
    })
  }
  if (n === 1 && duration === undefined && (concurrency ?? 1) > 1) {
    throw new DiscoError('USAGE', '-c has no effect with --n 1', {
      suggestions: [`Such as: disco call hello SayHello --n 100 -c ${concurrency}`],
    })
  }
  return {
    calls: n ?? (duration === undefined ? 1 : Number.POSITIVE_INFINITY),
    durationMs: duration === undefined ? Number.POSITIVE_INFINITY : parseDurationMs(duration),
    concurrency:
      concurrency === undefined
        ? rate === undefined
          ? 1
          : defaultUnderWay(heapLimitBytes)
        : Math.min(concurrency, carriedByHeap(heapLimitBytes)),
    perSecond,
  }
}

/** The same load, for as many calls or as long as --warmup says. @throws DiscoError USAGE */
export function warmupOf({ warmup }: LoadFlags, load: Load): Load | null {
  if (warmup === undefined) return null
  const isCount = /^\d+$/.test(warmup)
  return {
    ...load,
    calls: isCount ? Number(warmup) : Number.POSITIVE_INFINITY,
    durationMs: isCount ? Number.POSITIVE_INFINITY : parseDurationMs(warmup),
  }
}

const UNITS = { s: 1, m: 60 } as const

/** Reads `500`, `500/s` or `30/m`. */
function parsePerSecond(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,9}(?:\.\d{1,6})?)(?:\/([sm]))?$/.exec(text) ?? []
  const perSecond = Number(amount) / UNITS[unit as keyof typeof UNITS]
  if (perSecond > 0) return perSecond
  throw new DiscoError('USAGE', `"${text}" is not a rate`, {
    suggestions: ['Want a number above 0 of calls a second, such as 500, 500/s or 30/m'],
  })
}
