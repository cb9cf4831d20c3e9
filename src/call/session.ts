import type { Endpoint } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { connectionProblem, explain, NO_ANSWER } from '../grpc/connection-problem.js'
import { Deadline } from '../grpc/deadline.js'
import { type Client, type DialSettings, dial } from '../grpc/dial.js'
import { isPrivate } from '../grpc/private-range.js'
import { requireSelected } from '../grpc/resolver/resolve.js'
import { toGrpcEndpoints } from '../grpc/resolver/selection.js'
import { targetOf } from '../grpc/resolver/target.js'
import type { Policy } from '../policies/index.js'
import { type ConnectGoal, GoalWatch } from './connect-goal.js'
import type { Readiness, Unready } from './connection-states.js'
import { HeapGrowth } from './heap-growth.js'
import { RunLog } from './run-log.js'

/** Maximum number of unreachable servers to probe for the reason. A probe takes up to a second and a connection. */
const MAX_PROBED = 20

/** Files that the process opens besides its connections: its own modules, etcd, the terminal. */
const SPARE_DESCRIPTORS = 100

/** How long to wait for the other registries after the first has answered: enough for one in another data centre. */
const OTHERS_MS = 1_000

export type SessionSettings = Pick<
  DialSettings,
  'health' | 'serviceConfig' | 'tls' | 'maxMessageBytes' | 'authority'
> & {
  /** The target to dial. Default: the whole service. */
  readonly target?: string | undefined
}

/** A channel to a service under one policy, with the log of its events. */
export class Session implements Disposable {
  readonly log = new RunLog()
  readonly client: Client
  /** The dialled target. */
  readonly target: string
  private readonly heapGrowth = new HeapGrowth()
  private readonly openedAtMs = performance.now()
  private connectEndsAtMs: number | null = null

  constructor(
    /** The name for messages. */
    readonly service: string,
    readonly policy: Policy,
    private readonly settings: SessionSettings = {},
  ) {
    const { target = targetOf(service), ...dialled } = settings
    this.target = target
    this.client = dial(target, { ...dialled, policy, observer: this.log })
  }

  /**
   * Waits until the goal is reached, or the deadline has passed. May be called again with another goal, which has the
   * rest of the first deadline.
   *
   * @throws DiscoError RPC_FAILED if no endpoint is READY, or this process may open no more files; NOT_FOUND if the
   * service has no endpoint, or the target selects none; INTERRUPTED; the registry's own error if it is unreachable and
   * there is no earlier list
   */
  async connect(deadlineMs: number, signal: AbortSignal, goal: ConnectGoal = 'all'): Promise<Readiness> {
    await this.resolve(deadlineMs, signal)
    const { connections } = this.log
    this.heapGrowth.limitFor(connections.wanted.size)
    this.connectEndsAtMs ??= performance.now() + deadlineMs
    const leftMs = Math.max(0, this.connectEndsAtMs - performance.now())
    const { reached, limit } = this.goalWatch(goal, leftMs, signal)
    {
      using _ = limit
      await this.log.until(reached, limit.signal)
    }
    if (signal.aborted) throw new DiscoError('INTERRUPTED', 'Interrupted before the first call')
    if (this.registryError) throw atResolve(this.registryError)
    this.requireDescriptors()
    const elapsedMs = performance.now() - this.openedAtMs
    const { ready } = connections
    const wanted = connections.wanted.size
    // Read before the probes: the list may change while they run.
    const { registered } = this.log
    const unready = await this.unready(ready === 0 || goal === 'all')
    const unusable = registered.filter(({ problem }) => problem !== null).length
    if (ready > 0) return { ready, wanted, registered: registered.length, unusable, elapsedMs, unready }
    if (this.log.list) requireSelected(this.target, this.log.list)
    if (this.log.registered.length === 0) throw this.noEndpoints()
    if (wanted === 0) throw this.nothingToDial()
    const seconds = (elapsedMs / 1000).toFixed(1)
    throw new DiscoError('RPC_FAILED', `${this.service} has no endpoint that is READY after ${seconds}s`, {
      suggestions: unready.slice(0, 5).map(({ addr, problem }) => `${addr} ${problem}`),
    })
  }

  private goalWatch(goal: ConnectGoal, deadlineMs: number, signal: AbortSignal) {
    const endpoints = () => toGrpcEndpoints(this.log.registered, { where: {}, spillOver: false })
    const watch = new GoalWatch(goal, this.policy, this.log.connections, endpoints)
    const isOver = () => this.registryError !== null || this.log.isOutOfDescriptors
    return { reached: () => isOver() || watch.isReached, limit: new Deadline(deadlineMs, signal) }
  }

  /**
   * Waits for the first list. The limit is twice the deadline, because the registry's own error, which comes at its
   * deadline, explains more.
   */
  private async resolve(deadlineMs: number, signal: AbortSignal): Promise<void> {
    using limit = new Deadline(2 * deadlineMs, signal)
    const { log } = this
    const isResolved = await log.until(() => log.list !== null || log.unresolvedBy !== null, limit.signal)
    if (log.list === null && log.unresolvedBy !== null) {
      throw new DiscoError('NOT_FOUND', `${this.service} cannot be resolved: ${log.unresolvedBy}`)
    }
    if (isResolved) await this.resolveOthers(deadlineMs, signal)
    if (isResolved || signal.aborted) return
    const seconds = (2 * deadlineMs) / 1000
    throw new DiscoError(
      'ETCD_UNREACHABLE',
      `No answer about ${this.service} from the registry within ${seconds}s`,
      {
        suggestions: ['The stage that hung: resolve'],
      },
    )
  }

  /** Waits for the other registries for a moment. The endpoints of those that answer later join during the run. */
  private async resolveOthers(deadlineMs: number, signal: AbortSignal): Promise<void> {
    const { log } = this
    using limit = new Deadline(Math.min(OTHERS_MS, deadlineMs), signal)
    const haveAnswered = () => (log.list?.registries ?? []).every(({ hasAnswered }) => hasAnswered)
    await log.until(haveAnswered, limit.signal)
  }

  /** The current wait of `connect`, in words. */
  get stage(): string {
    if (this.log.list === null) return `resolving ${this.service}`
    const { ready, wanted } = this.log.connections
    return `connecting to ${this.service}: ${ready}/${wanted.size} ready`
  }

  /** Endpoints outside of private networks that are dialled in plaintext. */
  get exposed(): readonly Endpoint[] {
    if (this.settings.tls) return []
    return this.log.registered.filter(({ addr, problem }) => problem === null && !isPrivate(addr))
  }

  [Symbol.dispose](): void {
    this.client.close()
    this.heapGrowth[Symbol.dispose]()
  }

  /** Why the registry is unreachable; null if it is not, or a list was received before. */
  private get registryError(): DiscoError | null {
    const { list } = this.log
    return list && list.revision === 0 ? list.stale : null
  }

  /** @param mayProbe whether to probe servers for the reason, which takes time */
  private unready(mayProbe: boolean): Promise<Unready[]> {
    return Promise.all(
      this.log.connections.unready().map(async ({ id, endpoint: { addr }, connection }, at) => {
        const { problem, failures } = connection
        const isRefused = failures > 0
        if (mayProbe && at < MAX_PROBED) {
          return { id, addr, isRefused, problem: await explain(addr, problem, this.settings.tls) }
        }
        const pending = mayProbe ? NO_ANSWER : 'not waited for: still connecting'
        return { id, addr, isRefused, problem: problem === null ? pending : connectionProblem(problem) }
      }),
    )
  }

  /**
   * A process that may open no more files can neither connect nor continue: it could not even load the modules that
   * print a report.
   */
  private requireDescriptors(): void {
    if (!this.log.isOutOfDescriptors) return
    const { size } = this.log.connections.wanted
    const limit = descriptorLimit()
    const most = limit === null ? 'no more files' : `${limit} files at a time`
    throw new DiscoError(
      'RPC_FAILED',
      `${this.service} has ${size} endpoints, and this process may open ${most}, one for each connection`,
      { suggestions: [`Raise the limit: ulimit -n ${size + SPARE_DESCRIPTORS}`] },
    )
  }

  private nothingToDial(): DiscoError {
    const { registered } = this.log
    return new DiscoError('RPC_FAILED', `${this.service} has no endpoint that can be dialled`, {
      suggestions: registered
        .slice(0, 5)
        .map(({ addr, key, problem }) => `${addr || key} ${problem?.text ?? 'drained'}`),
    })
  }

  private noEndpoints(): DiscoError {
    return new DiscoError('NOT_FOUND', `${this.service} has no endpoint (rev ${this.log.revision})`)
  }
}

/** Adds the stage to an error of the registry. */
function atResolve({ code, message, suggestions, exit, cause }: DiscoError): DiscoError {
  const hints = [...suggestions, 'The stage that failed: resolve']
  return new DiscoError(code, message, { suggestions: hints, exit, cause })
}

/** The limit of open files of this process; null if the system does not report it. */
export function descriptorLimit(): number | null {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft: unknown } }
  }
  const limit = Number(userLimits?.open_files?.soft)
  return Number.isFinite(limit) ? limit : null
}
