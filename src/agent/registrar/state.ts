import type { DiscoError } from '../../domain/errors.js'

/** What a registrar beside a server has come to. A value: `reduce` makes the next one. */
export interface State {
  /** `none` where there is no process to look after; `told` was sent SIGTERM, `killed` SIGKILL. */
  readonly server: 'none' | 'running' | 'told' | 'killed' | 'gone' | 'sweeping' | 'swept'
  readonly health: 'unknown' | 'good' | 'bad'
  /** What of ours stands in the registry; `lost` is deleted on purpose or taken over, by somebody else. */
  readonly key: 'out' | 'claiming' | 'held' | 'leaving' | 'lost'
  readonly drain: 'none' | 'running' | 'over'
  /** How often it was told to stop: each time there is less that it waits for. */
  readonly stops: number
  /** It was asked to drain and deregister, and not to stop. */
  readonly isRetired: boolean
  /** The weight is 0 because the server is unhealthy. */
  readonly isWeighedDown: boolean
  readonly hasBeenHeld: boolean
  readonly isGivingUp: boolean
  readonly isRevoked: boolean
  /** Whoever was told to end has had the time for it. */
  readonly isKillDue: boolean
  readonly isOver: boolean
  /** What the server exited with; 0 where it died of a signal of ours. */
  readonly serverExit: number
  /** Why it can go no further. */
  readonly failure: DiscoError | null
  /** The key, or one of several, was taken over. */
  readonly conflict: DiscoError | null
}

export type Event =
  | { readonly type: 'healthy' | 'unhealthy' }
  /** The claim has come to this; `unregistered` also when it was given up, or the key was taken back. */
  | { readonly type: 'registered' | 'unregistered' }
  | { readonly type: 'refused'; readonly error: DiscoError }
  /** Somebody else ended the registration: deleted on purpose, or taken over with an error. */
  | { readonly type: 'lost'; readonly error: DiscoError | null }
  /** One of several keys was taken over. */
  | { readonly type: 'dropped'; readonly error: DiscoError }
  | { readonly type: 'drained' }
  /** Told to stop; asked to leave the registry. */
  | { readonly type: 'stop' | 'retire' }
  /** The server's process ended, with 128 + the signal's number if it died of one. */
  | { readonly type: 'exited'; readonly code: number; readonly signal: NodeJS.Signals | null }
  /** What the server had left running is gone as well. */
  | { readonly type: 'swept' }
  /** Whoever was told to end has had the time for it. */
  | { readonly type: 'late' }
  /** It cannot go on, for a reason of its own: not healthy in time, say. */
  | { readonly type: 'failed'; readonly error: DiscoError }

/** What is to be done about it, each once. */
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
  /** Whether the weight is 0 for a while before the key goes. */
  readonly drains: boolean
  /** Otherwise there is no weight to set, and a server lingers for that while after its key has gone. */
  readonly carriesWeight: boolean
  readonly unhealthy: 'deregister' | 'weight0'
}

export function initialState({ hasServer }: { hasServer: boolean }): State {
  return {
    ...{ server: hasServer ? 'running' : 'none', health: 'unknown', key: 'out', drain: 'none', stops: 0 },
    ...{ isRetired: false, isWeighedDown: false, hasBeenHeld: false, isGivingUp: false, isRevoked: false },
    ...{ isKillDue: false, isOver: false, serverExit: 0, failure: null, conflict: null },
  }
}

/**
 * The next state and what is to be done on the way there, in order. On a stop: weight 0, drain, deregister,
 * SIGTERM, SIGKILL. Each further stop skips what is being waited for. What happens to a key that stood, or to
 * etcd, never ends the server.
 */
export function reduce(
  before: State,
  event: Event,
  rules: Rules,
): { readonly state: State; readonly actions: readonly Action[] } {
  let state = note(before, event)
  const actions: Action[] = []
  for (;;) {
    const next = state.isOver ? null : (ofKey(state, rules) ?? ofServer(state))
    if (!next) return { state, actions }
    const [action, change] = next
    actions.push(action)
    state = { ...state, ...change }
  }
}

function note(state: State, event: Event): State {
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

function ofKey(state: State, rules: Rules): Next {
  const { key, health, drain, server, isWeighedDown } = state
  const isLeaving = leaves(state)
  switch (key) {
    case 'out':
      return health === 'good' && !isLeaving ? ['register', { key: 'claiming' }] : null
    case 'claiming':
      if (state.isGivingUp || (health === 'good' && !isLeaving)) return null
      return ['giveUp', { isGivingUp: true }]
    case 'leaving':
      return isHurried(state) && !state.isRevoked ? ['revoke', { isRevoked: true }] : null
    case 'lost':
      return null
    case 'held':
      break
  }
  if (!isLeaving) {
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

function ofServer(state: State): Next {
  const { server, stops, key, drain, failure } = state
  const isOut = key === 'out' || key === 'lost'
  const END: Next = ['end', { isOver: true }]
  switch (server) {
    case 'running':
      if (stops === 0 && failure === null) return null
      return isHurried(state) || (isOut && drain !== 'running') ? ['terminate', { server: 'told' }] : null
    case 'told':
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
      return key === 'lost' || (leaves(state) && isOut) || stops > 2 ? END : null
  }
}

/** Whether no key of ours is to stand any more, whatever the server's health. */
export function leaves({ stops, isRetired, failure, server }: State): boolean {
  return stops > 0 || isRetired || failure !== null || (server !== 'none' && server !== 'running')
}

function isEnding({ server }: State): boolean {
  return server === 'told' || server === 'sweeping'
}

function exitOf({ server }: State, { code, signal }: Event & { type: 'exited' }): number {
  const isOurs = signal === 'SIGTERM' ? server !== 'running' : signal === 'SIGKILL' && server === 'killed'
  return isOurs ? 0 : code
}

function isHurried({ stops }: State): boolean {
  return stops > 1
}

/** What the process exits with. @throws DiscoError what ended it, where the server itself ended in order */
export function exitCodeOf({ stops, failure, conflict, serverExit }: State): number {
  if (stops > 1) return 130
  if (failure) throw failure
  if (serverExit === 0 && conflict) throw conflict
  return serverExit
}

/** Where it stands, in a word for people and metrics. */
export const PHASES = [
  ...(['waiting', 'registering', 'registered', 'unhealthy', 'deregistered'] as const),
  ...(['draining', 'deregistering', 'stopping', 'ended'] as const),
]

export type Phase = (typeof PHASES)[number]

export function phaseOf(state: State): Phase {
  const { server, key, health, drain } = state
  if (state.isOver) return 'ended'
  if (server !== 'none' && server !== 'running') return 'stopping'
  if (key === 'leaving') return 'deregistering'
  if (key === 'held') {
    if (drain === 'running' && leaves(state)) return 'draining'
    return health === 'bad' ? 'unhealthy' : 'registered'
  }
  if (key === 'lost' || leaves(state)) return 'deregistered'
  if (health === 'bad') return 'unhealthy'
  return key === 'claiming' ? 'registering' : 'waiting'
}
