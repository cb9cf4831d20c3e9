import type { DiscoError } from '../../domain/errors.js'

/** State of a registrar: its server, the server's health, and the keys in the registry. */
export interface State {
  /**
   * `none` without a process to supervise. A `terminating` server was sent SIGTERM, a `killed` one SIGKILL. When the
   * process is `gone`, the rest of its process group is being ended (`sweeping`) or has ended (`swept`).
   */
  readonly server: 'none' | 'running' | 'terminating' | 'killed' | 'gone' | 'sweeping' | 'swept'
  readonly health: 'unknown' | 'good' | 'bad'
  /** Our keys in the registry; `lost` after another client deleted them on purpose or took them over. */
  readonly key: 'out' | 'claiming' | 'held' | 'leaving' | 'lost'
  readonly drain: 'none' | 'running' | 'over'
  /** Number of stops requested; each skips another wait. */
  readonly stops: number
  /** Whether to drain and deregister without a stop. */
  readonly isRetired: boolean
  /** The weight is 0 because the server is unhealthy. */
  readonly isWeighedDown: boolean
  readonly hasBeenHeld: boolean
  readonly isGivingUp: boolean
  readonly isRevoked: boolean
  /** The time between SIGTERM and SIGKILL has passed. */
  readonly isKillDue: boolean
  readonly isOver: boolean
  /** Exit code of the server; 0 after a signal of ours. */
  readonly serverExit: number
  /** The error that prevents the registrar from continuing. */
  readonly failure: DiscoError | null
  /** The key, or one of several, was taken over. */
  readonly conflict: DiscoError | null
}

export type Event =
  | { readonly type: 'healthy' | 'unhealthy' }
  /** The claim succeeded; it was abandoned, or the keys were removed. */
  | { readonly type: 'registered' | 'unregistered' }
  | { readonly type: 'refused'; readonly error: DiscoError }
  /** Another client ended the registration: deleted on purpose (null), or taken over. */
  | { readonly type: 'lost'; readonly error: DiscoError | null }
  /** One of several keys was taken over. */
  | { readonly type: 'dropped'; readonly error: DiscoError }
  | { readonly type: 'drained' }
  /** A request to stop, or to leave the registry only. */
  | { readonly type: 'stop' | 'retire' }
  /** The server's process ended, with 128 + the number of the signal that ended it. */
  | { readonly type: 'exited'; readonly code: number; readonly signal: NodeJS.Signals | null }
  /** The rest of the server's process group has ended. */
  | { readonly type: 'swept' }
  /** The time between SIGTERM and SIGKILL has passed. */
  | { readonly type: 'late' }
  /** An error of the registrar itself, such as a server that is not healthy in time. */
  | { readonly type: 'failed'; readonly error: DiscoError }

/** Actions that follow from an event, each to be performed once. `linger` is a drain after the keys were removed. */
export type Action =
  | 'register'
  | 'giveUp'
  | 'weighDown'
  | 'weighUp'
  | 'drain'
  | 'linger'
  | 'deregister'
  | 'revoke'
  | 'terminate'
  | 'kill'
  | 'sweep'
  | 'end'

export interface Rules {
  /** Whether the weight is 0 for a while before the key is deleted. */
  readonly drains: boolean
  /** Whether there is a weight to set; without one, the drain follows the deletion of the key. */
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
    isWeighedDown: false,
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
 * SIGTERM, SIGKILL; each further stop skips the current wait. The loss of a held key, or of etcd, never ends the
 * server.
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
      return { ...state, key: 'held', hasBeenHeld: true, isGivingUp: false, isWeighedDown: false }
    case 'unregistered':
      return { ...state, key: 'out', isGivingUp: false }
    case 'refused':
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
    case 'late':
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
  const { key, health, drain, server, isWeighedDown } = state
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
    if (health === 'good') return isWeighedDown ? ['weighUp', { isWeighedDown: false }] : null
    if (rules.unhealthy === 'deregister') return ['deregister', { key: 'leaving' }]
    return isWeighedDown ? null : ['weighDown', { isWeighedDown: true }]
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

/** Whether the keys must leave the registry, in any state of health. */
export function isLeaving({ stops, isRetired, failure, server }: State): boolean {
  return stops > 0 || isRetired || failure !== null || (server !== 'none' && server !== 'running')
}

function isEnding({ server }: State): boolean {
  return server === 'terminating' || server === 'sweeping'
}

function exitOf({ server }: State, { code, signal }: Event & { type: 'exited' }): number {
  const isOurs = signal === 'SIGTERM' ? server !== 'running' : signal === 'SIGKILL' && server === 'killed'
  return isOurs ? 0 : code
}

function isHurried({ stops }: State): boolean {
  return stops > 1
}

/** Exit code of the process. @throws DiscoError the error that ended it, where the server itself exited with 0 */
export function exitCodeOf({ stops, failure, conflict, serverExit }: State): number {
  if (stops > 1) return 130
  if (failure) throw failure
  if (serverExit === 0 && conflict) throw conflict
  return serverExit
}

/** Phases of a registrar, one word each, for output and metrics. */
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
