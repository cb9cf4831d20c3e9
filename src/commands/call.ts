import { getHeapStatistics } from 'node:v8'
import { Flags, type Interfaces } from '@oclif/core'
import type { LiveInput } from '../call/live-input.js'
import type { CallReport } from '../call/report.js'
import { measuresOf } from '../call/report.js'
import { DiscoCommand, type PlaceIn } from '../cli/base-command.js'
import type { CallDoc, ComparisonDoc } from '../cli/call/document.js'
import { exitOfCalls, strictFlag } from '../cli/call/exit.js'
import { callDoc, comparisonDoc } from '../cli/call/report-document.js'
import { CallView } from '../cli/call/view.js'
import type { CallReports } from '../cli/call-report/call-reports.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { cacheFlags, placeFlags } from '../cli/flags/base.js'
import { argument, parsedBy, refuseIneffective } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { isSingleCall, loadFlags, loadOf, warmupOf } from '../cli/flags/load.js'
import { healthFlag, policiesFlags, policiesOf } from '../cli/flags/policy.js'
import { reportFlag } from '../cli/flags/report.js'
import { isFromInput, readServiceConfig, requestFlags, textsOf } from '../cli/flags/request.js'
import { sizeFlag } from '../cli/flags/size.js'
import { inputName, inputPieces, STANDARD_INPUT, sourceOf } from '../cli/flags/standard-input.js'
import { dialledTarget, placeOfDialled, readDialled, selectorFlag } from '../cli/flags/target.js'
import { backendTls, tlsFlags } from '../cli/flags/tls.js'
import { type DescriptionDoc, descriptionDoc, type MethodsDoc, methodsDoc } from '../cli/methods/document.js'
import { type NoteDoc, notesOn } from '../cli/notes/notes.js'
import { refuseSwappedMethod } from '../cli/registries/parts.js'
import { StopSignals } from '../cli/stop-signals.js'
import { visible } from '../cli/terminal/visible.js'
import type { Endpoint } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { Descriptors } from '../grpc/methods/descriptors.js'
import { DEFAULT_MAX_MESSAGE_BYTES } from '../grpc/protocol.js'
import type { Policy } from '../policies/index.js'
import { type Assertion, assess, parseAssertions } from '../stats/assertion.js'

type CallFlags = Interfaces.InferredFlags<typeof Call.flags>

type Doc = CallDoc | ComparisonDoc | MethodsDoc | DescriptionDoc

export default class Call extends DiscoCommand {
  static override summary = 'Call a method of a service, through the resolver and picker that programs use'
  static override description =
    'A single call prints its reply. Several calls are counted by endpoint, timed, and judged against the weights. Without a method, lists the methods of the service. Methods are described by server reflection, or by --proto or --protoset.'
  static override examples = [
    `<%= config.bin %> call hello SayHello -d '{"name":"abc"}'`,
    '<%= config.bin %> call hello SayHello --n 10 --policy round_robin',
    '<%= config.bin %> call hello SayHello --duration 10s -c 64',
    "<%= config.bin %> call hello SayHello --n 100 -l 'version=2.0.0'",
    '<%= config.bin %> call 127.0.0.1:1001 SayHello',
    '<%= config.bin %> call hello SayHello --describe',
    '<%= config.bin %> call hello --describe helloworld.HelloRequest',
  ]
  static override readonly takesSeveral = true
  static override args = {
    target: dialledTarget,
    method: argument({
      description:
        'a method: its bare name, or package.Service/Method; with --describe also a service or a type',
    }),
  }
  static override flags = {
    ...loadFlags,
    ...requestFlags,
    ...policiesFlags,
    ...selectorFlag,
    ...tlsFlags,
    health: healthFlag,
    describe: Flags.boolean({
      description: "show the method's messages, or a service or type, and call nothing",
    }),
    assert: Flags.custom<readonly Assertion[]>({ parse: parsedBy(parseAssertions) })({
      helpValue: 'p99<50ms,…',
      description: 'conditions on the run, exit 8 unless all hold: p50, p95, p99, max, errors, skew, rate',
    }),
    histogram: Flags.boolean({ description: 'show the distribution of the latencies' }),
    verbose: Flags.boolean({
      char: 'v',
      description: "show each reply's headers and trailers: for a single call, or with -o ndjson",
    }),
    'emit-defaults': Flags.boolean({
      description: 'also show fields of replies with their default value, and empty lists',
    }),
    'max-message-size': sizeFlag({
      default: DEFAULT_MAX_MESSAGE_BYTES,
      description: 'maximum size of a reply; for reflection at least 64MiB',
    }),
    'connect-deadline': waitFlag({
      default: 5_000,
      description: 'limit for each step before the calls: resolve the service, connect, read its description',
    }),
    ...cacheFlags,
    report: reportFlag,
    strict: strictFlag,
    ...placeFlags,
  }

  /** Undefined if the reader of the output has gone. */
  async run(): Promise<Doc | undefined> {
    const { args, flags, metadata } = await this.parse(Call)
    const place = (layout: string) => this.place(flags, layout)
    const dialled = await readDialled(args.target, { flags, metadata }, place)
    const { target, registry: where } = dialled
    const service = where?.service ?? args.target
    const policies = policiesOf(flags)
    const load = loadOf(flags, getHeapStatistics().heap_size_limit)
    if (flags.concurrency !== undefined && load.concurrency < flags.concurrency) {
      const mark = this.palette(flags, process.stderr).yellow('!')
      this.remark(
        `${mark} Limited to ${load.concurrency} outstanding calls: the heap of this process has no room for more`,
      )
    }
    const loads = { load, warmup: warmupOf(flags, load), deadlineMs: flags.deadline }
    const isSingle = isSingleCall(flags) && policies.length === 1
    const isDescription = args.method === undefined || flags.describe
    if (isDescription) refuseIneffective({ flags, metadata }, ['report'], 'without calls')
    const isLive = isFromInput(flags) && isSingle && loads.warmup === null && !isDescription
    const texts = await textsOf(flags, isLive)
    const serviceConfig = await this.serviceConfig(flags)
    const { describedByFiles } = await import('../call/description.js')
    const described = await describedByFiles({
      proto: await sourceOf(flags.proto),
      protoset: await Promise.all((flags.protoset ?? []).map((file) => sourceOf(file))),
      'import-path': flags['import-path'],
    })
    if (described && isDescription) return await this.showMethods(service, described, args.method, flags)

    const files = await this.reportFiles(flags, service, args.method)
    using stop = new StopSignals()
    this.output.interruptBy(stop.once)
    const reading = { dialled, members: where ? this.members(flags) : [], env: process.env }
    const notes = (registered: readonly Endpoint[]) => notesOn(reading, registered)
    using view = new CallView(this.viewOutput(flags), { ...flags, isSingle, notesOn: notes })
    const placeIn = (place: PlaceIn) => placeOfDialled(dialled, place)
    const opened = where && (await this.openDiscovery(flags, placeIn, this.cacheOptions(flags)))
    const [{ install }, { callUnder, describe }, { firstHeaders }] = await Promise.all([
      import('../grpc/install.js'),
      import('../call/runner.js'),
      import('../call/content.js'),
    ])
    install(opened ? { discovery: opened.discovery } : {})
    const settings = {
      target,
      health: flags.health,
      ...serviceConfig,
      tls: (await backendTls(flags))?.current,
      maxMessageBytes: flags['max-message-size'],
      authority: flags.authority,
    }
    const onMissing = async () =>
      opened && (await refuseSwappedMethod(opened.registries, service, args.method))
    const approach = {
      service,
      settings,
      described,
      onMissing,
      stageMs: flags['connect-deadline'],
      reflectionHeaders: flags['reflect-headers'] ? firstHeaders(texts) : [],
    }
    if (args.method === undefined || isDescription) {
      return await describe(policies[0], approach, view, stop.once, async (descriptors) => {
        view.rest()
        return await this.showMethods(service, descriptors, args.method, flags)
      })
    }
    const form = { emitsDefaults: flags['emit-defaults'] }
    const isEndless = metadata.flags.deadline?.setFromDefault === true
    const deadlineMs = isEndless ? Number.POSITIVE_INFINITY : flags.deadline
    const read = new AbortController()
    const live = isLive ? { ...liveInput(view, AbortSignal.any([stop.once, read.signal])), deadlineMs } : null
    const order = { method: args.method, texts, form, live, keepsSeries: files !== null, ...loads }
    const { ended } = this.output
    // When the reader of the output has gone, no more calls are made, and outstanding ones are not awaited.
    const stops = {
      once: AbortSignal.any([stop.once, ended]),
      twice: AbortSignal.any([stop.twice, ended]),
    }
    const reports: CallReport[] = []
    const checkedBy = () => ({ isSingle, strict: flags.strict, replyProblem: view.replyProblem })
    try {
      for await (const report of callUnder(policies, approach, order, view, stops)) reports.push(report)
    } catch (thrown) {
      view.rest()
      const without = policies.slice(reports.length).map(({ name }) => name)
      await files?.failed(thrown, without, reports, this.docsOf(reports, flags, notes), checkedBy())
      throw thrown
    } finally {
      // An open read of standard input would keep the process running.
      read.abort()
    }
    const isUnread = ended.aborted && !stop.once.aborted
    if (isUnread && files === null) return undefined
    const docs = this.docsOf(reports, flags, notes)
    const all = isUnread ? undefined : await this.showResults(reports, docs, policies, view, flags)
    const isWritten = await files?.finished(reports, docs, checkedBy())
    if (isWritten === false) process.exitCode ||= 1
    return all
  }

  /** @throws DiscoError USAGE for a file that cannot be written */
  private async reportFiles(
    flags: CallFlags,
    service: string,
    method: string | undefined,
  ): Promise<CallReports | null> {
    if (flags.report === undefined || method === undefined) return null
    const { CallReports } = await import('../cli/call-report/call-reports.js')
    const { argv, config } = this
    const command = { id: 'call', argv, flags: { ...Call.baseFlags, ...Call.flags }, service, method }
    return await CallReports.open(flags.report, { ...command, version: config.version }, (line) =>
      this.remark(line),
    )
  }

  private docsOf(
    reports: readonly CallReport[],
    flags: CallFlags,
    notes: (registered: readonly Endpoint[]) => readonly NoteDoc[],
  ): CallDoc[] {
    return reports.map((report) => {
      const assertions = assess(flags.assert ?? [], measuresOf(report))
      const registered = report.endpoints.map(({ endpoint }) => endpoint)
      return callDoc(report, assertions, notes(registered))
    })
  }

  private async showResults(
    reports: readonly CallReport[],
    docs: readonly CallDoc[],
    policies: readonly Policy[],
    view: CallView,
    flags: CallFlags,
  ): Promise<CallDoc | ComparisonDoc> {
    const [doc] = docs
    if (!doc) throw new DiscoError('INTERNAL', 'No run was made')
    // An interrupted comparison has fewer runs.
    const all = policies.length > 1 ? comparisonDoc(doc.service, doc.method, docs) : doc
    await view.showResults(reports, docs, all)
    process.exitCode = exitOfCalls(reports, docs, flags) || (view.replyProblem?.exit ?? 0)
    return all
  }

  private async showMethods(
    service: string,
    descriptors: Descriptors,
    name: string | undefined,
    flags: BaseFlags,
  ): Promise<MethodsDoc | DescriptionDoc> {
    const { renderDescription, renderMethods } = await import('../cli/methods/table.js')
    if (name !== undefined) {
      const described = await descriptors.describe(name)
      const doc = descriptionDoc(service, described)
      const { remedy } = descriptors
      const gaps = doc.gaps.length > 0 && remedy !== '' ? [...doc.gaps, remedy] : doc.gaps
      for (const gap of gaps) this.remark(`! ${visible(gap)}`)
      return this.print(flags, doc, {
        table: (palette) => renderDescription(doc, palette),
        lines: () => [doc],
        names: () => [described.name],
      })
    }
    for (const gap of descriptors.gaps) this.remark(`! ${visible(gap)}`)
    const doc = methodsDoc(service, descriptors.methods)
    return this.print(flags, doc, {
      table: (palette) => renderMethods(doc, palette),
      lines: () => doc.methods,
      names: () => doc.methods.map(({ method }) => method),
    })
  }

  /** The service config of the channel, without its LB policy, which --policy sets. */
  private async serviceConfig(flags: BaseFlags & CallFlags) {
    const file = flags['service-config']
    if (file === undefined) return {}
    const { loadBalancingConfig, ...serviceConfig } = await readServiceConfig(file)
    if (loadBalancingConfig !== undefined) {
      const mark = this.palette(flags, process.stderr).yellow('!')
      this.remark(
        `${mark} The loadBalancingConfig of ${visible(inputName(file))} is ignored: --policy decides`,
      )
    }
    return { serviceConfig }
  }
}

/** Request data from standard input, typed or piped. @param signal ends the input */
function liveInput(view: CallView, signal: AbortSignal): Omit<LiveInput, 'deadlineMs'> {
  const isTyped = process.stdin.isTTY === true
  return {
    name: STANDARD_INPUT,
    pieces: inputPieces(signal),
    onStart: (isStream) => view.awaitsInput(isTyped, isStream),
    onRejected: isTyped ? (error) => view.showProblem(error) : null,
  }
}
