import { EventEmitter } from 'node:events'
import { DiscoError } from '../../domain/errors.js'
import type { WeightChange } from '../../domain/weight.js'
import type { RegistrationRequest } from '../../registry/registration/acquire.js'
import type { Registration } from '../../registry/registration/registration.js'
import type { Registry } from '../../registry/registry.js'
import type { WeightChanged, WeightOptions } from '../../registry/weight.js'
import type { ServerProcess } from '../processes/server-process.js'
import type { RegistrarEvents } from './events.js'
import { gateOnHealth, type HealthGating } from './health-gating.js'
import { OwnedRegistration } from './owned-registration.js'
import {
  type Action,
  type Event,
  exitCodeOf,
  initialState,
  isLeaving,
  type Phase,
  phaseOf,
  type Rules,
  reduce,
  type State,
} from './state.js'
import { RegistrationStatus } from './status.js'

export interface RegistrarOptions {
  readonly registry: Registry
  readonly request: RegistrationRequest
  /** Starts the server process to supervise; null if there is no process to supervise. */
  readonly start?: (() => Promise<ServerProcess>) | null
  /** Probes of the server; null to register at once. */
  readonly health?: HealthGating | null
  readonly unhealthy?: Rules['unhealthy']
  /** Whether the layout carries weights. Default: true. */
  readonly carriesWeight?: boolean
  /**
   * How long clients get to finish: at weight 0 before the keys are deleted or, in a layout without weights, after they
   * are deleted. 0 to deregister without a drain.
   */
  readonly drainMs: number
  /** How long the server may take to end after SIGTERM, before SIGKILL. */
  readonly killAfterMs: number
}

/**
 * Registers a server while it is healthy, and deregisters it before it ends. Runs beside the server, or supervises its
 * process. `reduce` decides on the actions; this class performs them.
 */
export class Registrar extends EventEmitter<RegistrarEvents> {
  /** State of the registration in etcd, which may differ from the phase of the registrar. */
  readonly status = new RegistrationStatus(this)
  private readonly owned: OwnedRegistration
  private server: ServerProcess | null = null
  private state: State
  private drainMs: number
  private readonly probing = new AbortController()
  private readonly timers = new Set<NodeJS.Timeout>()
  private readonly onRemoved: (() => void)[] = []
  private finish: () => void = () => undefined
  private readonly finished: Promise<void>

  constructor(private readonly options: RegistrarOptions) {
    super()
    const { registry, request, start, drainMs } = options
    this.drainMs = drainMs
    this.state = initialState({ hasServer: Boolean(start) })
    this.owned = new OwnedRegistration(registry, request, this, (conflict) => this.lost(conflict))
    this.finished = new Promise((resolve) => {
      this.finish = resolve
    })
    this.on('dropped', ({ why }) => {
      if (why instanceof DiscoError) this.apply({ type: 'dropped', error: why })
    })
  }

  /**
   * Runs until the registrar has ended.
   *
   * @returns 130 after a second `stop`; otherwise the exit code of the server; 0 if there is no server process, or if
   *   the server was ended by a SIGTERM or SIGKILL that this registrar sent
   * @throws DiscoError USAGE when the server cannot be started, CONFLICT, WAIT_TIMED_OUT, or an error of the registry
   * that ends the registrar
   */
  async run(): Promise<number> {
    const { start, health } = this.options
    if (start) this.supervise(await start())
    if (health) void gateOnHealth(health, this, (event) => this.apply(event), this.probing.signal)
    else this.apply({ type: 'healthy' })
    await this.finished
    for (const timer of this.timers) clearTimeout(timer)
    this.probing.abort()
    return exitCodeOf(this.state)
  }

  /** Forwards a signal to the server. */
  signal(signal: NodeJS.Signals): void {
    this.server?.send(signal)
  }

  /** Suspends the server's processes (SIGSTOP). The registrar itself goes on: it renews the lease. */
  suspendServer(): void {
    this.server?.suspend()
  }

  /** Continues the server's processes. */
  resumeServer(): void {
    this.server?.resume()
  }

  /** Current phase; `registering` also while a registered key is missing, or etcd refuses to renew its lease. */
  get phase(): Phase {
    const phase = phaseOf(this.state)
    return phase === 'registered' && this.status.problem !== null ? 'registering' : phase
  }

  get isOver(): boolean {
    return this.state.isOver
  }

  get service(): string {
    const { registered } = this.options.request
    return 'service' in registered ? registered.service : registered[0].service
  }

  /** The held keys, with the last record seen under each. */
  get held(): Registration['held'] {
    return this.state.key === 'held' ? this.owned.held : []
  }

  /** First deregisters the endpoints, then ends the server. Each further call skips the current wait. */
  stop(): void {
    this.apply({ type: 'stop' })
  }

  /** Drains and deregisters, and leaves the server running. Resolves when no key is held any more. */
  async retire({ drainMs = this.drainMs }: { drainMs?: number } = {}): Promise<void> {
    this.drainMs = drainMs
    const removed = new Promise<void>((resolve) => this.onRemoved.push(resolve))
    this.apply({ type: 'retire' })
    await removed
  }

  /**
   * Changes the weights of all endpoints, or of the one at `addr`.
   *
   * @throws DiscoError CONFLICT when nothing is registered or the registrar is leaving. Without `force`,
   *   CONFLICT in two more cases: all weights of the service are 0, so that a first weight above 0 would drain the other
   *   endpoints; or the only weight above 0 would become 0. NOT_FOUND for an `addr` that is not registered here
   */
  async setWeight(
    change: WeightChange,
    { addr, ...options }: WeightOptions & { readonly addr?: string | undefined } = {},
  ): Promise<WeightChanged> {
    const { held } = this
    if (held.length === 0 || isLeaving(this.state)) {
      throw new DiscoError('CONFLICT', `The weight cannot be set: the registrar is ${this.phase}`)
    }
    const selected = held.filter(({ registered }) => addr === undefined || registered.addr === addr)
    if (selected.length === 0)
      throw new DiscoError('NOT_FOUND', `${addr} is not registered by this registrar`)
    return await this.owned.weights.change(selected, change, options)
  }

  private supervise(server: ServerProcess): void {
    this.server = server
    this.emit('started', { pid: server.pid })
    server.exited.then((end) => {
      this.emit('exited', end)
      this.apply({ type: 'exited', ...end })
    })
  }

  private apply(event: Event): void {
    const { unhealthy = 'deregister', carriesWeight = true } = this.options
    const rules = { drains: this.drainMs > 0, carriesWeight, unhealthy }
    const { state, actions } = reduce(this.state, event, rules)
    const isNewlyHeld = event.type === 'registered' && state.key === 'held'
    this.state = state
    if (isNewlyHeld) this.emit('held')
    if (isLeaving(state)) this.probing.abort()
    for (const action of actions) this.perform(action)
    if (state.key === 'out' || state.key === 'lost') for (const resolve of this.onRemoved.splice(0)) resolve()
  }

  private perform(action: Action): void {
    const { server, options } = this
    const { killAfterMs } = options
    switch (action) {
      case 'register':
        void this.owned.claim({ isPatient: server !== null }).then((claimed) => this.apply(claimed))
        break
      case 'giveUp':
        this.owned.giveUp()
        break
      case 'zeroWeight':
        void this.owned.weigh('down', () => this.held.length > 0 && this.state.isWeightZeroed)
        break
      case 'restoreWeight':
        void this.owned.weigh('up', () => this.held.length > 0 && !this.state.isWeightZeroed)
        break
      case 'drain':
        this.emit('draining', { drainMs: this.drainMs, isOut: false })
        void this.drain()
        break
      case 'linger':
        this.emit('draining', { drainMs: this.drainMs, isOut: true })
        this.later(this.drainMs, { type: 'drained' })
        break
      case 'deregister':
        void this.release('close')
        break
      case 'revoke':
        void this.release('abandon')
        break
      case 'terminate':
        this.emit('stopping', { killAfterMs })
        server?.terminate()
        this.later(killAfterMs, { type: 'killDue' })
        break
      case 'kill':
        this.emit('killed')
        server?.kill()
        break
      case 'sweep':
        server?.terminate()
        this.later(killAfterMs, { type: 'killDue' })
        void server?.groupGone().then(() => this.apply({ type: 'swept' }))
        break
      case 'end':
        this.finish()
    }
  }

  /** The drain time counts from etcd's acceptance of weight 0 or, without it, from the start of the attempt. */
  private async drain(): Promise<void> {
    const { drainMs } = this
    const startMs = performance.now()
    const isZero = await this.owned.drain()
    const spentMs = isZero ? 0 : performance.now() - startMs
    this.later(Math.max(0, drainMs - spentMs), { type: 'drained' })
  }

  private later(ms: number, event: Event): void {
    if (this.state.isOver) return
    this.timers.add(setTimeout(() => this.apply(event), ms))
  }

  private lost(conflict: DiscoError | null): void {
    if (this.state.key !== 'held') return
    this.emit('lost', { conflict })
    this.apply({ type: 'lost', error: conflict })
  }

  private async release(how: 'close' | 'abandon'): Promise<void> {
    const cause = await this.owned.release(how)
    // `close` and `abandon` may both be pending: the first to end has already reported the result.
    if (this.state.key !== 'leaving') return
    if (cause) this.emit('lapsing', { cause })
    else this.emit('deregistered')
    const nothingFollows = isLeaving(this.state) && this.server === null
    if (cause && nothingFollows) this.apply({ type: 'failed', error: cause })
    this.apply({ type: 'unregistered' })
  }
}
