import type { CallReport, CallResult } from '../../call/report.js'
import type { Palette } from '../render/color.js'
import { count, duration } from '../render/units.js'
import { jsonLine, prettyJson, visible } from '../render/visible.js'
import { callLineDoc } from '../schema/call.js'

/** Prints a line for each call, with its reply. */
export function callLinePrinter(isVerbose: boolean): (result: CallResult) => void {
  return (result) => {
    process.stdout.write(`${jsonLine(callLineDoc(result, isVerbose))}\n`)
  }
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
