import type { Recorder } from '../call/recorder.js'
import type { CallReport, CallResult } from '../call/report.js'
import type { OutputFormat } from './base-command.js'
import type { Palette } from './color.js'
import { count, duration } from './render/units.js'
import { jsonLine, prettyJson, visible } from './render/visible.js'
import { callLineDoc } from './schema/call.js'

const REPAINT_MS = 200
const CLEAR_LINE = '\r\u001b[K'

/** What a person sees of a run before its report: the progress, on a terminal only. */
export class Progress implements Disposable {
  private timer: NodeJS.Timeout | null = null

  /** @param format lines on the same terminal tell the progress themselves */
  constructor(private readonly isShown: boolean) {}

  static for(format: OutputFormat, isSingle: boolean): Progress {
    const isBesideLines = format === 'ndjson' && process.stdout.isTTY
    return new Progress(process.stderr.isTTY === true && !isSingle && !isBesideLines)
  }

  readonly start = (recorder: Recorder): void => {
    this.stop()
    if (!this.isShown) return
    const startedAtMs = performance.now()
    this.timer = setInterval(() => {
      const elapsedMs = performance.now() - startedAtMs
      process.stderr.write(
        `${CLEAR_LINE}${progressLine(recorder, elapsedMs)}`.slice(0, process.stderr.columns),
      )
    }, REPAINT_MS)
  };

  [Symbol.dispose](): void {
    this.stop()
  }

  private stop(): void {
    if (!this.timer) return
    clearInterval(this.timer)
    this.timer = null
    process.stderr.write(CLEAR_LINE)
  }
}

export function progressLine({ all }: Recorder, elapsedMs: number): string {
  const { p50, p99 } = all.latency.summary()
  const perSecond = Math.round((all.calls * 1000) / elapsedMs)
  const failed = Object.entries(all.failures).map(([status, calls]) => `  ${calls} ${status}`)
  return `  ${count(all.calls, 'call')}  ${perSecond}/s  p50 ${duration(p50)}  p99 ${duration(p99)}${failed.join('')}  ${duration(elapsedMs)}`
}

/** A line for each call, with its reply. */
export function printCallLine(result: CallResult): void {
  process.stdout.write(`${jsonLine(callLineDoc(result))}\n`)
}

/** How a single call ended: its reply on standard output, everything else beside it. */
export function tellSingle(
  { last, method, streamsReplies }: CallReport,
  verbose: boolean,
  palette: Palette,
): { readonly data: readonly string[]; readonly remarks: readonly string[] } {
  if (!last) return { data: [], remarks: [] }
  const where = `${visible(last.endpoint?.addr ?? 'no endpoint')} in ${duration(last.latencyMs)}`
  const isOk = last.statusCode === 0
  const ended = isOk
    ? [palette.dim(`${method} at ${where}${streamsReplies ? `, ${count(last.replies, 'message')}` : ''}`)]
    : [
        `${palette.red('✗')} ${last.status}: ${visible(last.details)}`,
        `  ${method} at ${where}`,
        ...(last.status === 'DEADLINE_EXCEEDED'
          ? ['  The stage that hung: call. Its time is --deadline']
          : []),
      ]
  return {
    data: isOk && !streamsReplies ? [prettyJson(last.reply)] : [],
    remarks: [
      ...(verbose ? pairLines('header', last.headers) : []),
      ...(verbose ? pairLines('trailer', last.trailers) : []),
      ...ended,
    ],
  }
}

function pairLines(what: string, pairs: CallResult['headers']): string[] {
  return Object.entries(pairs).flatMap(([name, values]) =>
    values.map((value) => `< ${what} ${visible(name)}: ${visible(value)}`),
  )
}
