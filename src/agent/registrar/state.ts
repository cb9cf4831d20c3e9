import type { DiscoError } from '../../domain/errors.js'

/** State of a registrar: its server, the server's health, and the keys in the registry. */
export interface State {
  /**
   * State of the supervised process; `none` if there is none. `terminating`: SIGTERM was sent. `killed`: SIGKILL was
   * sent. `gone`: the process ended. After that, the rest of its process group is being ended (`sweeping`) or has ended
   * (`swept`).
   */
  readonly server: 'none' | 'running' | 'terminating' | 'killed' | 'gone' | 'sweeping' | 'swept'
  readonly health: 'unknown' | 'good' | 'bad'
  /**
   * State of our keys in the registry. `out`: not registered. `claiming`: being registered. `leaving`: being removed.
   * `lost`: another client deleted them on purpose or took them over.
   */
  readonly key: 'out' | 'claiming' | 'held' | 'leaving' | 'lost'
  readonly drain: 'none' | 'running' | 'over'
  /** Number of stop requests. Each one after the first skips the current wait. */
  readonly stops: number
  /** Whether to drain and deregister, but leave the server running. */
  readonly isRetired: boolean
  /** Whether the weight was set to 0 because the server is unhealthy. */
  readonly isWeightZeroed: boolean
  /** Whether the keys were held at least once. */
  readonly hasBeenHeld: boolean
  /** Whether the pending registration is being aborted. */
  readonly isGivingUp: boolean
  /** Whether the lease was revoked in order to skip the remaining waits. */
  readonly isRevoked: boolean
  /** Whether SIGKILL is due: the time after SIGTERM has passed, or a further stop skipped it. */
  readonly isKillDue: boolean
  /** Whether the registrar has ended. */
  readonly isOver: boolean
  /** Exit code of the server; 0 if it was ended by a signal that we sent. */
  readonly serverExit: number
  /** The error that prevents the registrar from continuing. */
  readonly failure: DiscoError | null
  /** The error if another client took over a key; null otherwise. */
  readonly conflict: DiscoError | null
}

export type Event =
  | { readonly type: 'healthy' | 'unhealthy' }
  | { readonly type: 'registered' }
  /** The registration was aborted, or the keys were removed. */
  | { readonly type: 'unregistered' }
  /** The registration failed, for example because another registrar holds a key. */
  | { readonly type: 'claimFailed'; readonly error: DiscoError }
  /** Another client deleted the keys on purpose (`error` is null) or took them over. */
  | { readonly type: 'lost'; readonly error: DiscoError | null }
  /** One of several keys was taken over; the others are still held. */
  | { readonly type: 'dropped'; readonly error: DiscoError }
  | { readonly type: 'drained' }
  /** A request to end the server too (`stop`), or only to deregister (`retire`). */
  | { readonly type: 'stop' | 'retire' }
  /** The server's process ended. `code` is its exit code, or 128 + the number of the signal that ended it. */
  | { readonly type: 'exited'; readonly code: number; readonly signal: NodeJS.Signals | null }
  /** The rest of the server's process group has ended. */
  | { readonly type: 'swept' }
  /** The time between SIGTERM and SIGKILL has passed. */
  | { readonly type: 'killDue' }
  /** An error that ends the registrar, such as a server that is not healthy in time. */
  | { readonly type: 'failed'; readonly error: DiscoError }

/**
 * Actions that follow from an event, each to be performed once. `linger` keeps the server running for the drain time
 * after the keys are removed, for layouts without a weight. `sweep` ends the rest of the server's process group.
 */
export type Action =
  | 'register'
  | 'giveUp'
  | 'zeroWeight'
  | 'restoreWeight'
  | 'drain'
  | 'linger'
  | 'deregister'
  | 'revoke'
  | 'terminate'
  | 'kill'
  | 'sweep'
  | 'end'

export interface Rules {
  /** Whether to set the weight to 0 for a while before the keys are removed. */
  readonly drains: boolean
  /** Whether the layout has a weight. Without one, the drain is a wait after the keys are removed. */
  readonly carriesWeight: boolean
  /** Response to an unhealthy server. */
  readonly unhealthy: 'deregister' | 'weight0'
}

export function initialState({ hasServer }: { hasServer: boolean }): State {
  return {
    server: hasServer ? 'running' : 'none',
    health: 'unknown',
    key: 'out',
    drain: 'none',
    stops: 0,
    isRetired: false,
    isWeightZeroed: false,
    hasBeenHeld: false,
    isGivingUp: false,
    isRevoked: false,
    isKillDue: false,
    isOver: false,
    serverExit: 0,
    failure: null,
    conflict: null,
  }
}

/**
 * Computes the next state and the actions that lead to it, in order. On a stop: weight 0, drain, deregister,
 * SIGTERM, SIGKILL; each further stop skips the current wait. The loss of a key, or of the connection to etcd, never
 * ends the server.
 */
export function reduce(
  before: State,
  event: Event,
  rules: Rules,
): { readonly state: State; readonly actions: readonly Action[] } {
  let state = withEvent(before, event)
  const actions: Action[] = []
  for (;;) {
    const next = state.isOver ? null : (nextForKey(state, rules) ?? nextForServer(state))
    if (!next) return { state, actions }
    const [action, change] = next
    actions.push(action)
    state = { ...state, ...change }
  }
}

function withEvent(state: State, event: Event): State {
  switch (event.type) {
    case 'healthy':
      return { ...state, health: 'good' }
    case 'unhealthy':
      return { ...state, health: 'bad' }
    case 'registered':
      return { ...state, key: 'held', hasBeenHeld: true, isGivingUp: false, isWeightZeroed: false }
    case 'unregistered':
      return { ...state, key: 'out', isGivingUp: false }
    case 'claimFailed':
      return state.hasBeenHeld
        ? { ...state, key: 'lost', conflict: event.error }
        : { ...state, key: 'out', failure: state.failure ?? event.error }
    case 'lost':
      return { ...state, key: 'lost', conflict: event.error }
    case 'dropped':
      return { ...state, conflict: event.error }
    case 'drained':
      return { ...state, drain: 'over' }
    case 'retire':
      return { ...state, isRetired: true }
    case 'stop':
      return { ...state, stops: state.stops + 1, isKillDue: isEnding(state) }
    case 'killDue':
      return { ...state, isKillDue: isEnding(state) }
    case 'exited':
      return { ...state, server: 'gone', serverExit: exitOf(state, event) }
    case 'swept':
      return { ...state, server: 'swept' }
    case 'failed':
      return { ...state, failure: state.failure ?? event.error }
  }
}

type Next = readonly [Action, Partial<State>] | null

function nextForKey(state: State, rules: Rules): Next {
  const { key, health, drain, server, isWeightZeroed } = state
  const isWanted = !isLeaving(state)
  switch (key) {
    case 'out':
      return health === 'good' && isWanted ? ['register', { key: 'claiming' }] : null
    case 'claiming':
      if (state.isGivingUp || (health === 'good' && isWanted)) return null
      return ['giveUp', { isGivingUp: true }]
    case 'leaving':
      return isHurried(state) && !state.isRevoked ? ['revoke', { isRevoked: true }] : null
    case 'lost':
      return null
    case 'held':
      break
  }
  if (isWanted) {
    if (health === 'good') return isWeightZeroed ? ['restoreWeight', { isWeightZeroed: false }] : null
    if (rules.unhealthy === 'deregister') return ['deregister', { key: 'leaving' }]
    return isWeightZeroed ? null : ['zeroWeight', { isWeightZeroed: true }]
  }
  if (isHurried(state)) return ['revoke', { key: 'leaving', isRevoked: true }]
  const canLinger = rules.drains && server === 'running'
  const canDrain = rules.drains && rules.carriesWeight && (canLinger || server === 'none')
  if (canDrain && drain !== 'over') return drain === 'running' ? null : ['drain', { drain: 'running' }]
  if (canLinger && drain === 'none') return ['linger', { drain: 'running' }]
  return ['deregister', { key: 'leaving' }]
}

function nextForServer(state: State): Next {
  const { server, stops, key, drain, failure } = state
  const isOut = key === 'out' || key === 'lost'
  const END: Next = ['end', { isOver: true }]
  switch (server) {
    case 'running':
      if (stops === 0 && failure === null) return null
      return isHurried(state) || (isOut && drain !== 'running')
        ? ['terminate', { server: 'terminating' }]
        : null
    case 'terminating':
      return state.isKillDue ? ['kill', { server: 'killed', isKillDue: false }] : null
    case 'sweeping':
      if (state.isKillDue) return ['kill', { isKillDue: false }]
      return stops > 2 ? END : null
    case 'killed':
      return stops > 2 ? END : null
    case 'gone':
      return isOut || isHurried(state) ? ['sweep', { server: 'sweeping' }] : null
    case 'swept':
      return isOut || stops > 2 ? END : null
    case 'none':
      return key === 'lost' || (isLeaving(state) && isOut) || stops > 2 ? END : null
  }
}

/** Whether the keys must be removed from the registry, even if the server is healthy. */
export function isLeaving({ stops, isRetired, failure, server }: State): boolean {
  return stops > 0 || isRetired || failure !== null || (server !== 'none' && server !== 'running')
}

/** Whether SIGTERM was sent to the server, or to the rest of its process group, and SIGKILL may have to follow. */
function isEnding({ server }: State): boolean {
  return server === 'terminating' || server === 'sweeping'
}

function exitOf({ server }: State, { code, signal }: Event & { type: 'exited' }): number {
  const isOurs = signal === 'SIGTERM' ? server !== 'running' : signal === 'SIGKILL' && server === 'killed'
  return isOurs ? 0 : code
}

/** Whether a second stop was requested, which skips the drain and revokes the lease. */
function isHurried({ stops }: State): boolean {
  return stops > 1
}

/**
 * Exit code of the registrar: 130 after a second stop, otherwise the server's (0 if there is no server).
 *
 * @throws DiscoError instead: the registrar's failure, if any, whatever the server's code is; or the conflict, if any,
 *   but only if the server's code is 0
 */
export function exitCodeOf({ stops, failure, conflict, serverExit }: State): number {
  if (stops > 1) return 130
  if (failure) throw failure
  if (serverExit === 0 && conflict) throw conflict
  return serverExit
}

/** Phases of a registrar, one word each, for output and metrics. Derived from the state. */
export const PHASES = [
  'waiting',
  'registering',
  'registered',
  'unhealthy',
  'deregistered',
  'draining',
  'deregistering',
  'stopping',
  'ended',
] as const

export type Phase = (typeof PHASES)[number]

export function phaseOf(state: State): Phase {
  const { server, key, health, drain } = state
  if (state.isOver) return 'ended'
  if (server !== 'none' && server !== 'running') return 'stopping'
  if (key === 'leaving') return 'deregistering'
  if (key === 'held') {
    if (drain === 'running' && isLeaving(state)) return 'draining'
    return health === 'bad' ? 'unhealthy' : 'registered'
  }
  if (key === 'lost' || isLeaving(state)) return 'deregistered'
  if (health === 'bad') return 'unhealthy'
  return key === 'claiming' ? 'registering' : 'waiting'
}
