import type { Recorder } from '../../call/recorder.js'
import type { CallReport, CallResult } from '../../call/report.js'
import type { CalledMethod, Listeners, Watcher } from '../../call/runner.js'
import type { Session } from '../../call/session.js'
import type { Endpoint } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import type { DecodedReply } from '../../grpc/methods/method.js'
import type { NoteDoc } from '../notes/notes.js'
import { isForPeople } from '../output/format.js'
import { Progress } from '../output/progress.js'
import type { ViewOutput } from '../output-command.js'
import { age, count, duration } from '../terminal/units.js'
import { jsonLine, markInReport, prettyJson, visible } from '../terminal/visible.js'
import type { CallDoc } from './document.js'
import { InOrder } from './in-order.js'
import { callLineDoc, comparisonDoc } from './report-document.js'

/** Determines which parts of a run are shown. */
export interface CallLooks {
  /** Whether the run is a single call: then its reply is shown, and no report. */
  readonly isSingle: boolean
  readonly verbose: boolean
  readonly histogram: boolean
  /** Returns warnings about the registered endpoints. */
  readonly notesOn?: (registered: readonly Endpoint[]) => readonly NoteDoc[]
}

/** Shows a run of calls: the connecting phase, the progress, and the result. */
export class CallView implements Watcher, Disposable {
  private readonly progress: Progress
  private readonly inOrder: InOrder
  /** The problem of the first reply that cannot be decoded as a message of the method; null if there is none. */
  replyProblem: DiscoError | null = null

  constructor(
    private readonly output: ViewOutput,
    private readonly looks: CallLooks,
  ) {
    this.progress = Progress.for(output.format)
    this.inOrder = new InOrder(output.reader)
  }

  waits(what: () => string): void {
    this.progress.wait(what)
  }

  reached({ log, exposed }: Session): void {
    this.rest()
    const mark = this.output.remarkPalette.yellow('!')
    const { list } = log
    // The counts of a run over a cached list may not match the registry.
    if (list?.stale && list.cachedAgeMs !== null) {
      this.output.remark(`${mark} ${visible(list.stale.message)}`)
      const seen = `seen ${age(list.cachedAgeMs)} ago (STALE)`
      this.output.remark(`  Using the last good list, rev ${list.revision}, ${seen}`)
    }
    for (const { text } of this.looks.notesOn?.(log.registered) ?? []) {
      this.output.remark(`${mark} ${visible(text)}`)
    }
    const [first, ...more] = exposed
    if (!first) return
    const others = more.length > 0 ? ` and ${count(more.length, 'other')}` : ''
    this.output.remark(
      `${mark} Plaintext to ${visible(first.addr)}${others}, outside of private networks: --tls encrypts`,
    )
  }

  starts(recorder: Recorder, { name, streamsReplies }: CalledMethod): void {
    const startedAtMs = performance.now()
    if (!this.looks.isSingle)
      this.progress.show(() => progressLine(recorder, performance.now() - startedAtMs))
    else if (streamsReplies) this.progress.stop()
    else this.progress.wait(() => `calling ${name}`)
  }

  listenersTo(method: CalledMethod): Listeners {
    const { format } = this.output
    const { isSingle, verbose } = this.looks
    const isLines = format === 'ndjson'
    const isPrinted = isForPeople(format)
    return {
      keepsReplies: isLines || (format === 'json' && isSingle),
      wantsHeaders: verbose,
      reader: this.inOrder,
      ...(isLines ? { onResult: (result) => this.showLine(result) } : {}),
      ...(isPrinted && isSingle && method.streamsReplies
        ? { onReply: (bytes) => this.take(bytes, method) }
        : {}),
    }
  }

  async settled(): Promise<void> {
    await this.inOrder.settled()
  }

  private showLine(result: CallResult): void {
    this.inOrder.show(result.isComplete ? null : () => result.complete(), () => this.printLine(result))
  }

  private take(bytes: Uint8Array, method: CalledMethod): void {
    const decoded = method.decode(bytes)
    const isComplete = !method.canFetchTypesFor(decoded)
    const fetchTypes = async () => {
      for (let next = decoded; await method.fetchTypesFor(next); ) next = method.decode(bytes)
    }
    this.inOrder.show(isComplete ? null : fetchTypes, () =>
      this.showReply(isComplete ? decoded : method.decode(bytes)),
    )
  }

  private printLine(result: CallResult): void {
    this.output.out(this.output.writer.line(callLineDoc(result, this.looks.verbose)))
    this.replyProblem ??= result.replyProblem
  }

  private showReply({ json, problem }: DecodedReply): void {
    this.output.out(jsonLine(json))
    this.replyProblem ??= problem
  }

  /** Shows the results. Streamed replies and NDJSON lines were printed on arrival. */
  async showResults(reports: readonly CallReport[], docs: readonly CallDoc[], all: object): Promise<void> {
    this.rest()
    const { format, out, writer } = this.output
    const { isSingle } = this.looks
    if (format === 'json') for (const lines of writer.documentLines(all)) out(lines)
    if (format === 'name') for (const { addr } of docs[0]?.endpoints ?? []) out(visible(addr))
    if (isForPeople(format) && isSingle) for (const report of reports) this.showSingle(report)
    else if (isForPeople(format)) await this.showReports(docs)
    else if (format !== 'json' && !isSingle) await this.showOutcomes(docs)
    if (isSingle && format !== 'json') await this.showAssertions(docs)
    if (isSingle) for (const { last } of reports) this.replyProblem ??= last?.replyProblem ?? null
    if (this.replyProblem) this.showProblem(this.replyProblem)
  }

  /**
   * Clears the progress line, and explains how to type the request.
   *
   * @param isTyped whether standard input is a terminal: only then the explanation is printed
   * @param isStream whether the request may have any number of messages
   */
  awaitsInput(isTyped: boolean, isStream: boolean): void {
    this.rest()
    if (!isTyped) return
    const what = isStream
      ? 'Type messages in JSON: Enter sends one, Ctrl-D ends the request'
      : 'Type the message in JSON, then Enter and Ctrl-D'
    this.output.remark(this.output.remarkPalette.dim(`  ${what}`))
  }

  /** Writes a problem to standard error. */
  showProblem({ message, suggestions }: DiscoError): void {
    const { remarkPalette: palette, remark } = this.output
    remark(`${palette.red('✗')} ${visible(message)}`)
    for (const suggestion of suggestions) remark(`  ${visible(suggestion)}`)
  }

  /** Shows a single call: its reply on standard output, everything else on standard error. */
  private showSingle({ last, method, streamsReplies }: CallReport): void {
    const { remarkPalette: palette, remark, out } = this.output
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
    for (const detail of last.errorDetails) remark(`  ${jsonLine(detail)}`)
    remark(`  ${where}`)
    if (last.status === 'DEADLINE_EXCEEDED') remark('  The stage that hung: call. Its limit is --deadline')
  }

  private async showReports(docs: readonly CallDoc[]): Promise<void> {
    const { renderCallReport } = await import('./report.js')
    const { palette, outText } = this.output
    for (const doc of docs) {
      const looks = { withHistogram: this.looks.histogram }
      const report = markInReport(renderCallReport(doc, palette, looks))
      outText(docs.length > 1 ? `${report}\n` : report)
    }
    const [first] = docs
    if (docs.length === 1 || !first) return
    const { renderComparison } = await import('./comparison.js')
    outText(markInReport(renderComparison(comparisonDoc(first.service, first.method, docs), palette)))
  }

  /** Shows the assertions of a single call; the report of a run contains its own. */
  private async showAssertions(docs: readonly CallDoc[]): Promise<void> {
    const { renderAssertions } = await import('./parts.js')
    const { remarkPalette, remark } = this.output
    for (const line of docs.flatMap((doc) => renderAssertions(doc, remarkPalette))) remark(line)
  }

  /** Explains the exit code on standard error, for formats without an explanation in the data. */
  private async showOutcomes(docs: readonly CallDoc[]): Promise<void> {
    const { renderOutcome } = await import('./report.js')
    const { remarkPalette, remark } = this.output
    for (const doc of docs) {
      if (docs.length > 1) remark(doc.policy)
      remark(markInReport(renderOutcome(doc, remarkPalette)))
    }
  }

  /** Clears the progress line, so that other output can follow. */
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

/** The progress of a run: number of calls, rate, latency and failures so far. */
function progressLine({ all }: Recorder, elapsedMs: number): string {
  const { p50, p99 } = all.latency.summary()
  const perSecond = Math.round((all.calls * 1000) / elapsedMs)
  const failed = Object.entries(all.failures).map(([status, calls]) => `  ${calls} ${status}`)
  return `  ${count(all.calls, 'call')}  ${perSecond}/s  p50 ${duration(p50)}  p99 ${duration(p99)}${failed.join('')}  ${duration(elapsedMs)}`
}
