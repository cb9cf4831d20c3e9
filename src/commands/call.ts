import { Args, Flags } from '@oclif/core'
import type { CallReport, CallResult } from '../call/report.js'
import { type BaseFlags, DiscoCommand } from '../cli/base-command.js'
import { parseDurationMs } from '../cli/duration.js'
import { cacheFlags, placeFlags } from '../cli/flags.js'
import { parseJson } from '../cli/json-argument.js'
import { requireServiceName } from '../cli/names.js'
import { healthFlag, policyFlags, policyOf } from '../cli/policy-flags.js'
import { age, duration } from '../cli/render/units.js'
import { jsonLine, prettyJson, visible } from '../cli/render/visible.js'
import { type CallDoc, callDoc, callLineDoc } from '../cli/schema/call.js'
import { StopSignals } from '../cli/stop-signals.js'
import { DiscoError } from '../domain/errors.js'
import type { Method } from '../grpc/descriptors.js'
import type { Client } from '../grpc/dial.js'
import type { ResolvedList } from '../grpc/live-list.js'

/** Endpoints that take longer to connect are reported and left out. */
const CONNECT_DEADLINE_MS = 5_000

/** 64 + the gRPC status: what a single failed call exits with. */
const EXIT_OF_STATUS = 64

export default class Call extends DiscoCommand {
  static override summary = 'Call a method of a service, through the resolver and picker that programs use'
  static override description =
    "One call prints the reply. With --n, counts which endpoint got each call and judges that against the weights. The method's description comes from server reflection, or from --proto."
  static override examples = [
    `<%= config.bin %> call hello SayHello -d '{"name":"abc"}'`,
    '<%= config.bin %> call hello SayHello --n 10 --policy round_robin',
  ]
  static override args = {
    service: Args.string({ required: true, description: 'the service, as it is registered' }),
    method: Args.string({
      required: true,
      description: 'a method: its bare name, or package.Service/Method',
    }),
  }
  static override flags = {
    n: Flags.integer({ default: 1, min: 1, max: 100_000_000, description: 'how many calls' }),
    ...policyFlags,
    health: healthFlag,
    data: Flags.string({ char: 'd', default: '{}', helpValue: '<json>', description: 'the request message' }),
    deadline: Flags.string({
      default: '5s',
      helpValue: '<duration>',
      description: 'how long each call may take',
    }),
    proto: Flags.string({ helpValue: 'FILE', description: 'describes the method where the server does not' }),
    'import-path': Flags.string({
      multiple: true,
      helpValue: 'DIR',
      description: 'where imports of --proto are found',
    }),
    ...cacheFlags,
    ...placeFlags,
  }

  async run(): Promise<CallDoc> {
    const { args, flags } = await this.parse(Call)
    const service = requireServiceName(args.service, this.place(flags).layout)
    const policy = policyOf(flags)
    const data = parseJson(flags.data)
    const deadlineMs = parseDurationMs(flags.deadline)
    const registry = await this.openRegistry(flags, this.cacheOptions(flags))
    const [{ install }, { Session }, { run }] = await Promise.all([
      import('../grpc/install.js'),
      import('../call/session.js'),
      import('../call/run.js'),
    ])
    install({ discovery: registry })
    using stop = new StopSignals()
    const session = new Session(service, policy, { health: flags.health })
    try {
      const readiness = await session
        .connect(CONNECT_DEADLINE_MS, stop.once)
        .catch(async (error: unknown) => {
          // The registry knows the names that were meant.
          if (error instanceof DiscoError && error.code === 'NOT_FOUND') await registry.listExisting(service)
          throw error
        })
      this.tellAge(session.log.list, flags)
      const method = await describeMethod(session.client, args.method, flags, deadlineMs)
      const plan = {
        ...{ method, message: method.encode(data), calls: flags.n, deadlineMs },
        ...(this.format(flags) === 'ndjson'
          ? { onResult: (result: CallResult) => this.printCall(result) }
          : {}),
      }
      const report = await run(session, readiness, plan, stop.once)
      return await this.tell(report, flags)
    } finally {
      session.close()
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

  private async tell(report: CallReport, flags: BaseFlags & { n: number }): Promise<CallDoc> {
    const doc = callDoc(report)
    const format = this.format(flags)
    if (format === 'json') this.out(prettyJson(doc))
    else if (format === 'name') for (const { addr } of doc.endpoints) this.out(visible(addr))
    else if (format !== 'ndjson') {
      if (flags.n === 1) this.tellOne(report, flags)
      else {
        const { renderCallReport } = await import('../cli/render/call-report.js')
        this.out(renderCallReport(doc, this.palette(flags)))
      }
    }
    process.exitCode = exitOf(report, flags.n)
    return doc
  }

  private tellOne({ last, method }: CallReport, flags: BaseFlags): void {
    if (!last) return
    const palette = this.palette(flags, process.stderr)
    const where = `${visible(last.endpoint?.addr ?? 'no endpoint')} in ${duration(last.latencyMs)}`
    if (last.statusCode === 0) {
      this.out(prettyJson(last.reply))
      this.remark(palette.dim(`${method} at ${where}`))
    } else
      this.remark(`${palette.red('✗')} ${last.status}: ${visible(last.details)}\n  ${method} at ${where}`)
  }

  private printCall(result: CallResult): void {
    this.out(jsonLine(callLineDoc(result)))
  }
}

async function describeMethod(
  client: Client,
  name: string,
  flags: { proto?: string | undefined; 'import-path'?: string[] | undefined },
  deadlineMs: number,
): Promise<Method> {
  const { Descriptors } = await import('../grpc/descriptors.js')
  const method = flags.proto
    ? new Descriptors(await filesOf(flags.proto, flags['import-path']), `Described by ${flags.proto}`).method(
        name,
      )
    : await reflectedMethod(client, name, deadlineMs)
  if (method.kind === 'unary') return method
  throw new DiscoError(
    'USAGE',
    `${method.name} is a streaming method (${method.kind}); only unary ones can be called`,
  )
}

async function filesOf(proto: string, importPaths: string[] | undefined) {
  const { readProtoFile } = await import('../grpc/proto-file.js')
  return await readProtoFile(proto, importPaths ?? [])
}

async function reflectedMethod(client: Client, name: string, deadlineMs: number): Promise<Method> {
  const [{ reflect }, { Descriptors }] = await Promise.all([
    import('../grpc/reflection.js'),
    import('../grpc/descriptors.js'),
  ])
  const { files, source, services } = await reflect(client, deadlineMs)
  return new Descriptors(files, source, services).method(name)
}

/** The first that applies: interrupted, a single call's status, failed calls, a failed verdict. */
function exitOf(report: CallReport, wanted: number): number {
  if (report.interrupted) return 130
  if (wanted === 1) return report.last?.statusCode ? EXIT_OF_STATUS + report.last.statusCode : 0
  if (report.ok < report.calls) return 7
  return report.verdict.result === 'fail' ? 8 : 0
}
