import { Args, Flags } from '@oclif/core'
import { measuresOf } from '../call/measures.js'
import type { RunPlan } from '../call/plan.js'
import type { Recorder } from '../call/recorder.js'
import type { CallReport } from '../call/report.js'
import type { Readiness, Session } from '../call/session.js'
import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { exitOfCalls } from '../cli/call-exit.js'
import { cacheFlags, placeFlags } from '../cli/flags/base.js'
import { parseDurationMs } from '../cli/flags/duration.js'
import { isSingleCall, type LoadFlags, loadFlags, loadOf, warmupOf } from '../cli/flags/load.js'
import { requireServiceName } from '../cli/flags/names.js'
import { healthFlag, policiesOf, policyFlags } from '../cli/flags/policy.js'
import { readServiceConfig, requestFlags, textsOf } from '../cli/flags/request.js'
import { type TlsFlags, tlsFlags, wantsTls } from '../cli/flags/tls.js'
import { age, count } from '../cli/render/units.js'
import { jsonLine, prettyJson, visible } from '../cli/render/visible.js'
import { type CallDoc, callDoc } from '../cli/schema/call.js'
import { type ComparisonDoc, comparisonDoc } from '../cli/schema/comparison.js'
import {
  type MethodDescriptionDoc,
  type MethodsDoc,
  methodDescriptionDoc,
  methodsDoc,
} from '../cli/schema/methods.js'
import { StopSignals } from '../cli/stop-signals.js'
import { strictFlag } from '../cli/verdict-exit.js'
import { callLinePrinter, tellSingle } from '../cli/views/call.js'
import { Progress } from '../cli/views/progress.js'
import type { Endpoint } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { BackendTls } from '../grpc/backend-tls.js'
import type { Descriptors } from '../grpc/methods/descriptors.js'
import type { Method } from '../grpc/methods/method.js'
import type { ResolvedList } from '../grpc/resolver/live-list.js'
import type { Policy } from '../policies/index.js'
import type { Registry } from '../registry/registry.js'
import { type Assertion, assess, parseAssertions } from '../stats/assertion.js'
import { isPrivate } from '../tls/private-range.js'

type CallFlags = BaseFlags & LoadFlags & { verbose: boolean; histogram: boolean; strict: boolean }
type Listeners = Pick<RunPlan, 'keepsReplies' | 'wantsHeaders' | 'onResult' | 'onReply'>
type Doc = CallDoc | ComparisonDoc | MethodsDoc | MethodDescriptionDoc

export default class Call extends DiscoCommand {
  static override summary = 'Call a method of a service, through the resolver and picker that programs use'
  static override description =
    'One call prints the reply. More count which endpoint got each, how fast, and judge that against the weights. Without a method, lists what can be called. Methods are described by server reflection, or by --proto or --protoset.'
  static override examples = [
    `<%= config.bin %> call hello SayHello -d '{"name":"abc"}'`,
    '<%= config.bin %> call hello SayHello --n 10 --policy round_robin',
    '<%= config.bin %> call hello SayHello --duration 10s -c 64',
    '<%= config.bin %> call hello SayHello --describe',
  ]
  static override args = {
    service: Args.string({ required: true, description: 'the service, as it is registered' }),
    method: Args.string({ description: 'a method: its bare name, or package.Service/Method' }),
  }
  static override flags = {
    ...loadFlags,
    ...requestFlags,
    ...policyFlags,
    ...tlsFlags,
    health: healthFlag,
    describe: Flags.boolean({ description: "show the method's messages, and call nothing" }),
    assert: Flags.string({
      helpValue: 'p99<50ms,…',
      description: 'what the run must fulfil, or it exits with 8: p50, p95, p99, max, errors, skew, rate',
    }),
    histogram: Flags.boolean({ description: 'show how the latencies spread' }),
    verbose: Flags.boolean({
      char: 'v',
      description: "show each reply's headers and trailers: of one call, or with -o ndjson",
    }),
    'connect-deadline': Flags.string({
      ...{ default: '5s', helpValue: '<duration>' },
      description: 'how long finding, connecting to and describing the service may take, each',
    }),
    ...cacheFlags,
    strict: strictFlag,
    ...placeFlags,
  }

  async run(): Promise<Doc> {
    const { args, flags } = await this.parse(Call)
    const service = requireServiceName(args.service, this.place(flags).layout)
    const policies = policiesOf(flags)
    const load = loadOf(flags)
    const loads = { load, warmup: warmupOf(flags, load), deadlineMs: parseDurationMs(flags.deadline) }
    const texts = await textsOf(flags)
    const assertions = flags.assert === undefined ? [] : parseAssertions(flags.assert)
    const serviceConfig = await this.serviceConfig(flags)
    const connectMs = parseDurationMs(flags['connect-deadline'])
    const { describedByFiles, describedByServer } = await import('../call/description.js')
    const described = await describedByFiles(flags)
    const isDescription = args.method === undefined || flags.describe
    if (described && isDescription) return await this.tellMethods(service, described, args.method, flags)

    using stop = new StopSignals()
    const registry = await this.openRegistry(flags, this.cacheOptions(flags))
    const [{ install }, { Session }, { run }, { Invoker }, { contentOf }] = await Promise.all([
      import('../grpc/install.js'),
      import('../call/session.js'),
      import('../call/run.js'),
      import('../grpc/invoker.js'),
      import('../call/content.js'),
    ])
    install({ discovery: registry })
    const tls = await this.backendTls(flags)
    using progress = Progress.for(this.format(flags))
    const reports: CallReport[] = []
    for (const policy of policies) {
      using session = new Session(service, policy, { health: flags.health, ...serviceConfig, tls })
      progress.wait(() => session.stage)
      const readiness = await this.connect(session, registry, connectMs, stop.once)
      progress.stop()
      this.tellAge(session.log.list, flags)
      if (!tls) this.tellPlaintext(session.log.registered, flags)
      progress.wait(() => `asking ${service} for its methods`)
      const descriptors = described ?? (await describedByServer(session.client, connectMs, stop.once))
      progress.stop()
      if (args.method === undefined || flags.describe) {
        return await this.tellMethods(service, descriptors, args.method, flags)
      }
      const method = descriptors.method(args.method)
      const plan = {
        ...loads,
        content: contentOf(method, texts, load.calls),
        ...this.listeners(method, flags),
      }
      const invoker = new Invoker(session.client, method)
      const start = (recorder: Recorder) => {
        if (!isSingleCall(flags)) progress.start(recorder)
        else if (!method.streamsReplies) progress.wait(() => `calling ${method.name}`)
      }
      if (plan.warmup) progress.wait(() => 'warming up')
      reports.push(await run(session, readiness, invoker, plan, stop, start))
      progress.stop()
      if (stop.once.aborted) break
    }
    return await this.tell(reports, policies, assertions, flags)
  }

  private async connect(
    session: Session,
    registry: Registry,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Readiness> {
    try {
      return await session.connect(deadlineMs, signal)
    } catch (error) {
      // The registry knows the names that were meant.
      if (error instanceof DiscoError && error.code === 'NOT_FOUND')
        await registry.listExisting(session.service)
      throw error
    }
  }

  private async backendTls(flags: TlsFlags): Promise<BackendTls | undefined> {
    if (!wantsTls(flags)) return undefined
    const { readBackendTls } = await import('../grpc/backend-tls.js')
    const { 'tls-ca': caFile, 'tls-cert': certFile, 'tls-key': keyFile, 'tls-name': name } = flags
    return await readBackendTls({ caFile, certFile, keyFile }, name)
  }

  private tellPlaintext(endpoints: readonly Endpoint[], flags: BaseFlags): void {
    const exposed = endpoints.filter(({ addr, problem }) => problem === null && !isPrivate(addr))
    const [first, ...more] = exposed
    if (!first) return
    const others = more.length > 0 ? ` and ${count(more.length, 'other')}` : ''
    const mark = this.palette(flags, process.stderr).yellow('!')
    this.remark(
      `${mark} Plaintext to ${visible(first.addr)}${others}, outside of private networks: --tls encrypts`,
    )
  }

  /** Who is told of calls and replies while they come. */
  private listeners(method: Method, flags: BaseFlags & LoadFlags & { verbose: boolean }): Listeners {
    const format = this.format(flags)
    const isPrinted = format === 'table' || format === 'wide'
    const keepsReplies = format === 'ndjson' || (format === 'json' && isSingleCall(flags))
    return {
      ...{ keepsReplies, wantsHeaders: flags.verbose },
      ...(format === 'ndjson' ? { onResult: callLinePrinter(flags.verbose) } : {}),
      ...(isPrinted && isSingleCall(flags) && method.streamsReplies
        ? { onReply: (bytes: Uint8Array) => this.out(jsonLine(method.decode(bytes))) }
        : {}),
    }
  }

  /** A list from the cache is what stood once: whoever reads the counts should know. */
  private tellAge(list: ResolvedList | null, flags: BaseFlags): void {
    if (!list?.stale || list.cachedAgeMs === null) return
    const mark = this.palette(flags, process.stderr).yellow('!')
    this.remark(`${mark} ${visible(list.stale.message)}`)
    this.remark(
      `  Going by the last good list, rev ${list.revision}, seen ${age(list.cachedAgeMs)} ago (STALE)`,
    )
  }

  private async tellMethods(
    service: string,
    descriptors: Descriptors,
    name: string | undefined,
    flags: BaseFlags,
  ): Promise<MethodsDoc | MethodDescriptionDoc> {
    const { renderDescription, renderMethods } = await import('../cli/render/methods.js')
    if (name !== undefined) {
      const doc = methodDescriptionDoc(service, descriptors.method(name))
      return this.print(flags, doc, {
        table: (palette) => renderDescription(doc, palette),
        lines: () => [doc],
        names: () => [doc.method],
      })
    }
    const doc = methodsDoc(service, descriptors.methods)
    return this.print(flags, doc, {
      table: (palette) => renderMethods(doc, palette),
      lines: () => doc.methods,
      names: () => doc.methods.map(({ method }) => method),
    })
  }

  /** What else the channel's service config should have; its LB policy is --policy's. */
  private async serviceConfig(flags: BaseFlags & { 'service-config'?: string | undefined }) {
    const file = flags['service-config']
    if (file === undefined) return {}
    const { loadBalancingConfig, ...serviceConfig } = await readServiceConfig(file)
    if (loadBalancingConfig !== undefined) {
      const mark = this.palette(flags, process.stderr).yellow('!')
      this.remark(`${mark} The loadBalancingConfig of ${visible(file)} is left out: --policy decides`)
    }
    return { serviceConfig }
  }

  private async tell(
    reports: readonly CallReport[],
    policies: readonly Policy[],
    assertions: readonly Assertion[],
    flags: CallFlags,
  ): Promise<CallDoc | ComparisonDoc> {
    const docs = reports.map((report) => callDoc(report, assess(assertions, measuresOf(report))))
    const [first] = reports
    const [doc] = docs
    if (!first || !doc) throw new DiscoError('INTERNAL', 'No run was made')
    // One that was interrupted has fewer runs, and is a comparison all the same.
    const all = policies.length > 1 ? comparisonDoc(doc.service, doc.method, docs) : doc
    const format = this.format(flags)
    const isSingle = isSingleCall(flags) && policies.length === 1
    if (format === 'json') this.out(prettyJson(all))
    else if (format === 'name') for (const { addr } of doc.endpoints) this.out(visible(addr))
    if (format === 'ndjson' || format === 'name') {
      if (!isSingle) await this.tellOutcomes(docs, flags)
    } else if (format !== 'json') {
      if (isSingle) this.tellOne(first, flags)
      else await this.tellReports(docs, flags)
    }
    process.exitCode = exitOfCalls(reports, docs, flags)
    return all
  }

  private async tellReports(docs: readonly CallDoc[], flags: CallFlags): Promise<void> {
    const { renderCallReport } = await import('../cli/render/call-report.js')
    const palette = this.palette(flags)
    const { isTTY, columns } = process.stdout
    const width = isTTY && columns > 0 ? { width: columns } : {}
    for (const doc of docs) {
      const report = renderCallReport(doc, palette, { withHistogram: flags.histogram, ...width })
      this.out(docs.length > 1 ? `${report}\n` : report)
    }
    const [first] = docs
    if (docs.length === 1 || !first) return
    const { renderComparison } = await import('../cli/render/comparison.js')
    this.out(renderComparison(comparisonDoc(first.service, first.method, docs), palette))
  }

  /** Beside data that do not have it: why this exits as it does. */
  private async tellOutcomes(docs: readonly CallDoc[], flags: CallFlags): Promise<void> {
    const { renderOutcome } = await import('../cli/render/call-report.js')
    const palette = this.palette(flags, process.stderr)
    for (const doc of docs) {
      if (docs.length > 1) this.remark(doc.policy)
      this.remark(renderOutcome(doc, palette))
    }
  }

  private tellOne(report: CallReport, flags: CallFlags): void {
    const palette = this.palette(flags, process.stderr)
    const { data, remarks } = tellSingle(report, flags.verbose, palette)
    for (const line of data) this.out(line)
    for (const line of remarks) this.remark(line)
  }
}
