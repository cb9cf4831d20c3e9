import { Flags } from '@oclif/core'
import type { WaitReports, WaitRequest } from '../agent/wait/request.js'
import { DiscoCommand } from '../cli/base-command.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { placeFlags } from '../cli/flags/base.js'
import { parsedBy, refuseIneffective } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { ACCESS_NAMES, accessFlags, accessOf } from '../cli/flags/probe.js'
import {
  type FilterFlags,
  filterFlags,
  readScope,
  requireRegistered,
  targetAndAddresses,
} from '../cli/flags/target.js'
import { StopSignals } from '../cli/stop-signals.js'
import { duration, seconds } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { misplacedCondition, readCondition, refuseCutCondition } from '../cli/wait/conditions.js'
import { type WaitDoc, waitDoc } from '../cli/wait/document.js'
import { LiveState } from '../cli/wait/live-state.js'
import { readWords, type Word } from '../cli/words/words.js'
import { isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import {
  formatWaitCondition,
  namedIn,
  needsConnections,
  type WaitCondition,
} from '../domain/wait-condition.js'

const PROBE_DEADLINE_MS = 2_000

/** The default timeout, to which --for-duration is added. */
const TIMEOUT_MS = 30_000

export default class Wait extends DiscoCommand {
  static override summary = 'Wait until conditions on a service hold'
  static override description =
    "Conditions: endpoints>=3, ready>=3 (with a gRPC connection), healthy>=3 (SERVING by grpc.health.v1, or without that a gRPC connection), with >=, <=, ==, !=, > or <; weight==0; registered, gone, drained, 'all ready', 'all healthy'. They are about the endpoints that addresses, -l and --host select, or about one: 'gone ADDR', 'healthy ADDR', 'weight ADDR==0'. not or ! negates: 'not healthy' means that none is. It also waits for a service or an etcd that does not exist yet. With --for-duration, the conditions must hold without a break; if one does not hold, or etcd is unreachable, the time starts again. Exits 0 when all conditions hold, 5 when they do not in time."
  static override examples = [
    `<%= config.bin %> wait hello --for 'healthy>=3' --timeout 1m`,
    `<%= config.bin %> wait hello --for 'gone 1.2.3.4:1001'`,
    `<%= config.bin %> wait hello 1.2.3.4:1001 1.2.3.4:1002 --for drained`,
    `<%= config.bin %> wait hello -l version=2.0.0 --for 'all healthy' --for-duration 30s`,
    `<%= config.bin %> wait --host 10.0.0.5 --for gone`,
  ]
  static override usage = '<%= command.id %> [TARGET] [ADDR...] --for CONDITION [FLAGS]'
  static override args = { target: targetAndAddresses }
  static override flags = {
    for: Flags.custom<WaitCondition>({ parse: parsedBy(readCondition) })({
      multiple: true,
      multipleNonGreedy: true,
      required: true,
      helpValue: '<condition>',
      description: 'condition to wait for; repeated: all of them at once',
    }),
    'for-duration': waitFlag({
      description: 'the conditions must hold for this long without a break',
    }),
    timeout: waitFlag({
      allowsZero: true,
      defaultHelp: async () => '30s, plus --for-duration',
      description: 'limit of the wait; 0 checks once',
    }),
    ...filterFlags,
    ...accessFlags,
    ...placeFlags,
  }

  async run(): Promise<WaitDoc> {
    const { args, flags, metadata } = await this.parse(Wait).catch((error: unknown) => {
      throw misplacedCondition(this.words()) ?? this.needed(error) ?? error
    })
    const [target, ...addrs] = args.target ?? []
    const scope = await readScope({
      command: 'wait',
      target,
      addrs,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    const { service, filter, place } = scope
    const { for: conditions, 'for-duration': holdMs = 0 } = flags
    if (service === undefined && isUnfiltered(filter)) throw missing('TARGET')
    if (addrs.length === 0) refuseCutCondition(this.words())
    refuseSecondName(conditions, addrs, flags)
    const timeoutMs = flags.timeout ?? TIMEOUT_MS + holdMs
    if (holdMs > 0 && timeoutMs <= holdMs) throw neverInTime(holdMs, timeoutMs)
    if (!conditions.some(needsConnections)) {
      refuseIneffective({ flags, metadata }, ACCESS_NAMES, 'without a condition on ready or healthy')
    }
    const probe = { deadlineMs: PROBE_DEADLINE_MS, ...(await accessOf(flags)) }
    const registry = await this.openRegistry({ ...flags, ...place })
    await requireRegistered(registry, scope)
    const { waitFor } = await import('../agent/wait/wait.js')
    const { waitConditions, waitSubject } = await import('../agent/wait/request.js')
    const request: WaitRequest = { service, filter, conditions, holdMs, timeoutMs, probe }
    const [name, wanted] = [visible(waitSubject(request)), visible(waitConditions(request))]
    this.remark(
      `→ waiting for ${name}: ${wanted} (${timeoutMs > 0 ? `${seconds(timeoutMs)} at most` : 'one check'})`,
    )
    using stop = new StopSignals()
    const waited = await waitFor(registry, request, this.reports(flags, request), stop.once)
    const doc = waitDoc(request, waited)
    return this.print(flags, doc, {
      table: (palette) => {
        const after = `after ${duration(waited.elapsedMs)} (rev ${doc.rev})`
        return `${palette.green('✓')} ${name}: ${wanted} ${after}`
      },
      lines: () => [doc],
      names: () => waited.facts.endpoints.map(({ addr }) => addr),
    })
  }

  private reports(flags: BaseFlags, { holdMs, timeoutMs }: WaitRequest): WaitReports {
    const mark = this.palette(flags, process.stderr).yellow('!')
    const state = new LiveState(timeoutMs, this.progressLine, (line) => this.remark(line))
    return {
      onState: (now) => state.change(now),
      onHold: () => state.remark(`  holds: ${seconds(holdMs)} from now`),
      onBreak: (heldMs, why) =>
        state.remark(
          `${mark} broken after ${duration(heldMs)}: ${visible(why)}; the ${seconds(holdMs)} start again`,
        ),
      onStale: ({ code, message }) =>
        state.remark(
          `${mark} ${visible(message)}; ${code === 'ETCD_DENIED' ? 'retrying' : 'waiting for it'}`,
        ),
      onNothing: ({ message, suggestions }) => {
        state.remark(
          [`${mark} ${visible(message)}`, ...suggestions.map((text) => `  ${visible(text)}`)].join('\n'),
        )
      },
    }
  }

  private words(): Iterable<Word> {
    return readWords(this.argv, { ...Wait.baseFlags, ...Wait.flags })
  }

  /** The error for a command line with neither a condition nor a target; null for others. */
  private needed(error: unknown): DiscoError | null {
    const isUsage = error instanceof DiscoError && error.code === 'USAGE'
    const words = [...this.words()]
    const hasAny = words.some(
      (word) => word.kind !== 'flag' || ['for', 'selector', 'host'].includes(word.name),
    )
    return isUsage && !hasAny ? missing('TARGET and --for') : null
  }
}

function missing(what: string): DiscoError {
  return new DiscoError('USAGE', `disco wait needs ${what}`, {
    suggestions: [
      "Such as: disco wait hello --for 'healthy>=3'",
      'Over all services: -l SELECTOR or --host HOST',
    ],
  })
}

/** A condition about an endpoint that the filter excludes would count the endpoint as gone, even if it is registered. */
function refuseSecondName(
  conditions: readonly WaitCondition[],
  addrs: readonly string[],
  { selector, host }: FilterFlags,
): void {
  const named = conditions.find((condition) => namedIn(condition) !== null)
  if (!named || (addrs.length === 0 && selector === undefined && host === undefined)) return
  throw new DiscoError('USAGE', `"${formatWaitCondition(named)}" names its endpoint`, {
    suggestions: ['Leave out ADDR, -l and --host, or the address in the condition'],
  })
}

function neverInTime(holdMs: number, timeoutMs: number): DiscoError {
  const message = `--for-duration ${seconds(holdMs)} cannot be met within --timeout ${seconds(timeoutMs)}`
  return new DiscoError('USAGE', message, {
    suggestions: ['Without --timeout, the limit is 30s plus --for-duration'],
  })
}
