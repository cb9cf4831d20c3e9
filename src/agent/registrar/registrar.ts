import { EventEmitter } from 'node:events'
import { DiscoError } from '../../domain/errors.js'
import type { WeightChange } from '../../domain/weight.js'
import type { RegistrationRequest } from '../../registry/registration/acquire.js'
import type { Registration } from '../../registry/registration/registration.js'
import type { Registry } from '../../registry/registry.js'
import type { WeightChanged } from '../../registry/weight.js'
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
  /** Starts the process to look after, if it is one of ours. */
  readonly start?: (() => Promise<ServerProcess>) | null
  /** Null to register at once. */
  readonly health?: HealthGating | null
  readonly unhealthy?: Rules['unhealthy']
  /** Whether the layout that is written in carries weights; as most do. */
  readonly carriesWeight?: boolean
  /** How long the weight is 0 before the key goes; 0 for not at all. */
  readonly drainMs: number
  /** How long the server may take to end by itself. */
  readonly killAfterMs: number
}

/**
 * Stands beside a server: registers it while it is healthy, takes it out of the registry before it ends, and
 * ends when there is nothing left to do. What to do is decided by `reduce`; this does it.
 */
export class Registrar extends EventEmitter<RegistrarEvents> {
  /** What of it stands in etcd, whatever the registrar is at. */
  readonly status = new RegistrationStatus(this)
  private readonly owned: OwnedRegistration
  private server: ServerProcess | null = null
  private state: State
  private drainMs: number
  private readonly probing = new AbortController()
  private readonly timers = new Set<NodeJS.Timeout>()
  private readonly onOut: (() => void)[] = []
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
   * Runs until it is over.
   *
   * @returns the exit code: the server's own, 0 where it died of our signal, 130 after a second `stop`
   * @throws DiscoError USAGE when the server cannot be started, CONFLICT, WAIT_TIMED_OUT, or the registry's
   *   where there is nothing to go on with
   */
  async run(): Promise<number> {
    const { start, health } = this.options
    if (start) this.look(await start())
    if (health) void gateOnHealth(health, this, (event) => this.apply(event), this.probing.signal)
    else this.apply({ type: 'healthy' })
    await this.finished
    for (const timer of this.timers) clearTimeout(timer)
    this.probing.abort()
    return exitCodeOf(this.state)
  }

  /** Hands a signal on to the server. */
  signal(signal: NodeJS.Signals): void {
    this.server?.send(signal)
  }

  /** Stops the server's processes; the registration lapses unless this process goes on to keep it. */
  suspendServer(): void {
    this.server?.suspend()
  }

  /** Lets the server's processes go on. */
  resumeServer(): void {
    this.server?.resume()
  }

  /** A key that etcd says is gone is being registered again. */
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

  /** The keys that are held in the registry now. */
  get held(): Registration['held'] {
    return this.state.key === 'held' ? this.owned.held : []
  }

  /** Takes the keys out of the registry and ends the server, in order; each further call skips a wait. */
  stop(): void {
    this.apply({ type: 'stop' })
  }

  /** Takes the keys out of the registry, after a drain, and leaves the server alone. Resolves when they are. */
  async retire({ drainMs = this.drainMs }: { drainMs?: number } = {}): Promise<void> {
    this.drainMs = drainMs
    const isOut = new Promise<void>((resolve) => this.onOut.push(resolve))
    this.apply({ type: 'retire' })
    await isOut
  }

  /** @throws DiscoError CONFLICT when nothing is registered, or the change would upset the others; NOT_FOUND */
  async setWeight(
    change: WeightChange,
    { addr, force = false }: { addr?: string | undefined; force?: boolean } = {},
  ): Promise<WeightChanged> {
    const { held } = this
    if (held.length === 0 || isLeaving(this.state)) {
      throw new DiscoError('CONFLICT', `There is no weight to set: the registration is ${this.phase}`)
    }
    const meant = held.filter(({ registered }) => addr === undefined || registered.addr === addr)
    if (meant.length === 0) throw new DiscoError('NOT_FOUND', `${addr} is none of the addresses held here`)
    return await this.owned.weights.change(meant, change, { force })
  }

  private look(server: ServerProcess): void {
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
    if (state.key === 'out' || state.key === 'lost') for (const tell of this.onOut.splice(0)) tell()
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
      case 'weighDown':
        void this.owned.weigh('down', () => this.held.length > 0 && this.state.isWeighedDown)
        break
      case 'weighUp':
        void this.owned.weigh('up', () => this.held.length > 0 && !this.state.isWeighedDown)
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
        this.later(killAfterMs, { type: 'late' })
        break
      case 'kill':
        this.emit('killed')
        server?.kill()
        break
      case 'sweep':
        server?.terminate()
        this.later(killAfterMs, { type: 'late' })
        void server?.groupGone().then(() => this.apply({ type: 'swept' }))
        break
      case 'end':
        this.finish()
    }
  }

  /** The time runs from the moment at which the weight is 0; where it cannot be set, nobody waits for that. */
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
    // The second of two attempts has nothing to tell.
    if (this.state.key !== 'leaving') return
    if (cause) this.emit('lapsing', { cause })
    else this.emit('deregistered')
    const isLastWord = isLeaving(this.state) && this.server === null
    if (cause && isLastWord) this.apply({ type: 'failed', error: cause })
    this.apply({ type: 'unregistered' })
  }
}
