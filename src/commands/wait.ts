import { Flags } from '@oclif/core'
import type { Waited } from '../agent/wait.js'
import { DiscoCommand } from '../cli/base-command.js'
import { completeAddressOrKey } from '../cli/flags/arguments.js'
import { placeFlags } from '../cli/flags/base.js'
import { parsedBy, refuseIdle } from '../cli/flags/custom.js'
import { waitFlag } from '../cli/flags/duration.js'
import { ACCESS_NAMES, accessFlags, accessOf } from '../cli/flags/probe.js'
import { filterFlags, readScope, registryTarget } from '../cli/flags/target.js'
import { StopSignals } from '../cli/stop-signals.js'
import { duration, seconds } from '../cli/terminal/units.js'
import { visible } from '../cli/terminal/visible.js'
import { readWords, type Word } from '../cli/words/words.js'
import { formatFilter, isUnfiltered } from '../domain/endpoint-filter.js'
import { DiscoError } from '../domain/errors.js'
import {
  formatWaitCondition,
  needsHealth,
  parseWaitCondition,
  type WaitCondition,
} from '../domain/wait-condition.js'

export interface WaitDoc {
  readonly schema: 'disco.wait/v1'
  readonly service: string
  readonly rev: string
  /** The conditions. */
  readonly for: readonly string[]
  readonly elapsedMs: number
  readonly endpoints: number
  /** Null if no condition needs it, so that no server was probed. */
  readonly ready: number | null
  readonly healthy: number | null
}

export function waitDoc(
  service: string,
  conditions: readonly WaitCondition[],
  { revision, facts, elapsedMs }: Waited,
): WaitDoc {
  const { endpoints, ready, healthy } = facts
  return {
    schema: 'disco.wait/v1',
    service,
    rev: String(revision),
    for: conditions.map(formatWaitCondition),
    elapsedMs: Math.round(elapsedMs),
    endpoints: endpoints.filter(({ problem }) => problem === null).length,
    ready,
    healthy,
  }
}

const PROBE_DEADLINE_MS = 2_000

export default class Wait extends DiscoCommand {
  static override summary = 'Wait until conditions on a service hold'
  static override description =
    'Conditions: endpoints>=3, ready>=3 (with a gRPC connection), healthy>=3 (SERVING by grpc.health.v1, or without that a gRPC connection), gone ADDR, weight ADDR==0; with >=, <=, ==, !=, > or <. It also waits for a service or an etcd that does not exist yet. Exits 0 when all conditions hold, 5 when they do not in time.'
  static override examples = [
    `<%= config.bin %> wait hello --for 'healthy>=3' --timeout 1m`,
    `<%= config.bin %> wait hello --for 'gone 1.2.3.4:1001'`,
    `<%= config.bin %> wait hello --for 'weight 1.2.3.4:1001==0' --for 'ready>=2'`,
    `<%= config.bin %> wait hello -l version=2.0.0 --for 'healthy>=3'`,
  ]
  static override args = { target: registryTarget }
  static override flags = {
    for: Flags.custom<WaitCondition>({ parse: parsedBy(readCondition) })({
      multiple: true,
      multipleNonGreedy: true,
      required: true,
      helpValue: '<condition>',
      description: 'condition to wait for; repeated: all of them at once',
    }),
    timeout: waitFlag({
      allowsZero: true,
      default: 30_000,
      description: 'limit of the wait; 0 checks once',
    }),
    ...filterFlags,
    ...accessFlags,
    ...placeFlags,
  }

  async run(): Promise<WaitDoc> {
    const { args, flags, metadata } = await this.parse(Wait).catch((error: unknown) => {
      throw misplacedCondition(readWords(this.argv, { ...Wait.baseFlags, ...Wait.flags })) ?? error
    })
    const { service, filter, place } = await readScope({
      command: 'wait',
      target: args.target,
      flags,
      place: (layout) => this.place(flags, layout),
    })
    const { for: conditions, timeout: timeoutMs } = flags
    const named = conditions.find((condition) => 'addr' in condition)
    if (named && (flags.host !== undefined || flags.selector !== undefined)) {
      // A registered endpoint that is not selected would count as gone.
      throw new DiscoError('USAGE', `"${formatWaitCondition(named)}" names its endpoint`, {
        suggestions: ['Leave -l and --host out, or wait for endpoints, ready or healthy'],
      })
    }
    if (!conditions.some(needsHealth)) {
      refuseIdle({ flags, metadata }, ACCESS_NAMES, 'without a condition on ready or healthy')
    }
    const probe = { deadlineMs: PROBE_DEADLINE_MS, ...(await accessOf(flags)) }
    const registry = await this.openRegistry({ ...flags, ...place })
    const wanted = conditions.map(formatWaitCondition).join(', ')
    const name = [service, ...(isUnfiltered(filter) ? [] : [formatFilter(filter)])].join(' ')
    this.remark(
      `→ waiting for ${visible(name)}: ${visible(wanted)} (${timeoutMs > 0 ? `${seconds(timeoutMs)} at most` : 'one look'})`,
    )
    const { waitFor } = await import('../agent/wait.js')
    using stop = new StopSignals()
    const waited = await waitFor(
      registry,
      { service, filter, conditions, timeoutMs, probe },
      {
        onState: (now) => this.remark(`  now: ${visible(now)}`),
        onStale: ({ code, message }) =>
          this.remark(`! ${visible(message)}; ${code === 'ETCD_DENIED' ? 'retrying' : 'waiting for it'}`),
      },
      stop.once,
    )
    const doc = waitDoc(service, conditions, waited)
    return this.print(flags, doc, {
      table: (palette) => {
        const after = `after ${duration(waited.elapsedMs)} (rev ${doc.rev})`
        return `${palette.green('✓')} ${visible(name)}: ${visible(wanted)} ${after}`
      },
      lines: () => [doc],
      names: () => waited.facts.endpoints.map(({ addr }) => addr),
    })
  }
}

/** An address such as `:1001` is completed, as at registration. @throws DiscoError USAGE */
async function readCondition(text: string): Promise<WaitCondition> {
  const condition = parseWaitCondition(text)
  if (!('addr' in condition)) return condition
  const addr = await completeAddressOrKey(condition.addr, "disco wait hello --for 'gone 1.2.3.4:1001'")
  return { ...condition, addr }
}

/** The error for a condition in the place of the service; null without one. */
function misplacedCondition(words: Iterable<Word>): DiscoError | null {
  let condition: string | undefined
  let service = 'SERVICE'
  for (const word of words) {
    if (word.kind === 'argument' && isCondition(word.text)) condition ??= word.text
    else if (word.kind === 'argument') service = word.text
    else if (word.kind === 'flag' && word.name === 'for' && word.value && !isCondition(word.value)) {
      service = word.value
    }
  }
  if (condition === undefined) return null
  return new DiscoError('USAGE', `"${condition}" is a condition, which belongs to --for`, {
    suggestions: [`Try: disco wait ${service} --for '${condition}'`],
  })
}

function isCondition(text: string): boolean {
  try {
    parseWaitCondition(text)
    return true
  } catch {
    // An incomplete condition is reported elsewhere.
    return false
  }
}
