import type { Recorder } from '../../call/recorder.js'
import type { CallReport, CallResult } from '../../call/report.js'
import type { Called, Listeners, Watcher } from '../../call/runner.js'
import type { Session } from '../../call/session.js'
import type { Speaker } from '../base-command.js'
import { age, count, duration } from '../terminal/units.js'
import { jsonLine, prettyJson, visible } from '../terminal/visible.js'
import { type CallDoc, callLineDoc, comparisonDoc } from './document.js'
import { Progress } from './progress.js'

/** What of the calls is shown. */
export interface CallLooks {
  /** A single call: its reply, and no report. */
  readonly isSingle: boolean
  readonly verbose: boolean
  readonly histogram: boolean
}

/** Tells of calls: what is waited for, then how they go, and what they came to. */
export class CallView implements Watcher, Disposable {
  private readonly progress: Progress

  constructor(
    private readonly speaker: Speaker,
    private readonly looks: CallLooks,
  ) {
    this.progress = Progress.for(speaker.format)
  }

  waits(what: () => string): void {
    this.progress.wait(what)
  }

  reached({ log, exposed }: Session): void {
    this.rest()
    const mark = this.speaker.remarkPalette.yellow('!')
    const { list } = log
    // A list from the cache is what stood once: whoever reads the counts should know.
    if (list?.stale && list.cachedAgeMs !== null) {
      this.speaker.remark(`${mark} ${visible(list.stale.message)}`)
      const seen = `seen ${age(list.cachedAgeMs)} ago (STALE)`
      this.speaker.remark(`  Going by the last good list, rev ${list.revision}, ${seen}`)
    }
    const [first, ...more] = exposed
    if (!first) return
    const others = more.length > 0 ? ` and ${count(more.length, 'other')}` : ''
    this.speaker.remark(
      `${mark} Plaintext to ${visible(first.addr)}${others}, outside of private networks: --tls encrypts`,
    )
  }

  starts(recorder: Recorder, { name, streamsReplies }: Called): void {
    if (!this.looks.isSingle) this.progress.start(recorder)
    else if (streamsReplies) this.progress.stop()
    else this.progress.wait(() => `calling ${name}`)
  }

  listenersTo(method: Called): Listeners {
    const { format } = this.speaker
    const { isSingle, verbose } = this.looks
    const isLines = format === 'ndjson'
    const isPrinted = format === 'table' || format === 'wide'
    return {
      keepsReplies: isLines || (format === 'json' && isSingle),
      wantsHeaders: verbose,
      reader: this.speaker.reader,
      ...(isLines ? { onResult: (result) => this.speaker.out(jsonLine(callLineDoc(result, verbose))) } : {}),
      ...(isPrinted && isSingle && method.streamsReplies
        ? { onReply: (bytes) => this.speaker.out(jsonLine(method.decode(bytes))) }
        : {}),
    }
  }

  /** What the calls came to. Replies and lines of NDJSON were told as they came. */
  async tell(reports: readonly CallReport[], docs: readonly CallDoc[], all: object): Promise<void> {
    this.rest()
    const { format, out } = this.speaker
    const { isSingle } = this.looks
    const isForPeople = format === 'table' || format === 'wide'
    if (format === 'json') out(prettyJson(all))
    if (format === 'name') for (const { addr } of docs[0]?.endpoints ?? []) out(visible(addr))
    if (isForPeople && isSingle) for (const report of reports) this.tellOne(report)
    else if (isForPeople) await this.tellReports(docs)
    else if (format !== 'json' && !isSingle) await this.tellOutcomes(docs)
    if (isSingle && format !== 'json') await this.tellAssertions(docs)
  }

  /** What a single call came to: its reply on standard output, everything else beside it. */
  private tellOne({ last, method, streamsReplies }: CallReport): void {
    const { remarkPalette: palette, remark, out } = this.speaker
    if (!last) return
    if (last.statusCode === 0 && !streamsReplies) out(prettyJson(last.reply))
    if (this.looks.verbose) {
      for (const line of pairLines('header', last.headers)) remark(line)
      for (const line of pairLines('trailer', last.trailers)) remark(line)
    }
    const where = `${method} at ${visible(last.endpoint?.addr ?? 'no endpoint')} in ${duration(last.latencyMs)}`
    if (last.statusCode === 0) {
      remark(palette.dim(`${where}${streamsReplies ? `, ${count(last.replies, 'message')}` : ''}`))
      return
    }
    remark(`${palette.red('✗')} ${last.status}: ${visible(last.details)}`)
    remark(`  ${where}`)
    if (last.status === 'DEADLINE_EXCEEDED') remark('  The stage that hung: call. Its time is --deadline')
  }

  private async tellReports(docs: readonly CallDoc[]): Promise<void> {
    const { renderCallReport } = await import('./report.js')
    const { palette, out } = this.speaker
    const { isTTY, columns } = process.stdout
    const width = isTTY && columns > 0 ? { width: columns } : {}
    for (const doc of docs) {
      const report = renderCallReport(doc, palette, { withHistogram: this.looks.histogram, ...width })
      out(docs.length > 1 ? `${report}\n` : report)
    }
    const [first] = docs
    if (docs.length === 1 || !first) return
    const { renderComparison } = await import('./comparison.js')
    out(renderComparison(comparisonDoc(first.service, first.method, docs), palette))
  }

  /** The report of more calls contains these; a single call has none. */
  private async tellAssertions(docs: readonly CallDoc[]): Promise<void> {
    const { renderAssertions } = await import('./parts.js')
    const { remarkPalette, remark } = this.speaker
    for (const line of docs.flatMap((doc) => renderAssertions(doc, remarkPalette))) remark(line)
  }

  /** Beside data that do not have it: why the command exits as it does. */
  private async tellOutcomes(docs: readonly CallDoc[]): Promise<void> {
    const { renderOutcome } = await import('./report.js')
    const { remarkPalette, remark } = this.speaker
    for (const doc of docs) {
      if (docs.length > 1) remark(doc.policy)
      remark(renderOutcome(doc, remarkPalette))
    }
  }

  /** Takes away what is shown of the waiting: what follows has the line for itself. */
  rest(): void {
    this.progress.stop()
  }

  [Symbol.dispose](): void {
    this.rest()
  }
}

function pairLines(what: string, pairs: CallResult['headers']): string[] {
  return Object.entries(pairs).flatMap(([name, values]) =>
    values.map((value) => `< ${what} ${visible(name)}: ${visible(value)}`),
  )
}
