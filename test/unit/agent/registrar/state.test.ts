import { describe, expect, it } from 'vitest'
import {
  type Action,
  type Event,
  exitCodeOf,
  initialState,
  phaseOf,
  type Rules,
  reduce,
  type State,
} from '../../../../src/agent/registrar/state.js'
import { DiscoError } from '../../../../src/domain/errors.js'
import { errorOf } from '../../../support/errors.js'

const TAKEN_OVER = new DiscoError('CONFLICT', 'taken over')
const LATE = new DiscoError('WAIT_TIMED_OUT', 'not healthy in time')
const DRAINS: Rules = { drains: true, carriesWeight: true, unhealthy: 'deregister' }

/** Name of an event without further fields, or the event itself. */
type Word = Exclude<Event['type'], 'claimFailed' | 'lost' | 'exited' | 'failed' | 'dropped'> | Event

const exited = (code: number, signal: NodeJS.Signals | null = null): Event => ({
  type: 'exited',
  code,
  signal,
})

/** Reduces a list of events: the actions after each, and the last state. */
function play(
  words: readonly Word[],
  { hasServer = true, rules = DRAINS }: { hasServer?: boolean; rules?: Rules } = {},
): { done: Action[][]; state: State } {
  let state = initialState({ hasServer })
  const done = words.map((word) => {
    const next = reduce(state, typeof word === 'string' ? { type: word } : word, rules)
    state = next.state
    return [...next.actions]
  })
  return { done, state }
}

describe('a starting server', () => {
  it('is registered once it is healthy, and not before', () => {
    const { done, state } = play(['healthy', 'registered'])
    expect(done).toEqual([['register'], []])
    expect(phaseOf(state)).toBe('registered')
    expect(phaseOf(play([]).state)).toBe('waiting')
  })

  it('that ends before it is healthy is never registered, and its exit code is returned', () => {
    const { done, state } = play([exited(3), 'swept'])
    expect(done).toEqual([['sweep'], ['end']])
    expect(exitCodeOf(state)).toBe(3)
  })

  it('is stopped when the key is refused for good, with that error', () => {
    const { done, state } = play([
      'healthy',
      { type: 'claimFailed', error: TAKEN_OVER },
      exited(143, 'SIGTERM'),
      'swept',
    ])
    expect(done).toEqual([['register'], ['terminate'], ['sweep'], ['end']])
    expect(errorOf(() => exitCodeOf(state))).toBe(TAKEN_OVER)
  })

  it('is stopped when it is not healthy in time', () => {
    const { done, state } = play([{ type: 'failed', error: LATE }, exited(0), 'swept'])
    expect(done).toEqual([['terminate'], ['sweep'], ['end']])
    expect(errorOf(() => exitCodeOf(state))).toBe(LATE)
  })

  it('that becomes unhealthy during its registration abandons it, and registers again later', () => {
    const { done } = play(['healthy', 'unhealthy', 'unregistered', 'healthy', 'registered'])
    expect(done).toEqual([['register'], ['giveUp'], [], ['register'], []])
  })

  it('that is registered after its registration was abandoned is deregistered', () => {
    const { done } = play(['healthy', 'unhealthy', 'registered', 'unregistered'])
    expect(done).toEqual([['register'], ['giveUp'], ['deregister'], []])
  })
})

describe('a stop', () => {
  it('sets weight 0, drains, deregisters, sends SIGTERM, then SIGKILL', () => {
    const { done, state } = play([
      ...(['healthy', 'registered', 'stop', 'drained', 'unregistered', 'killDue'] as const),
      exited(137, 'SIGKILL'),
      'swept',
    ])
    expect(done).toEqual([
      ['register'],
      [],
      ['drain'],
      ['deregister'],
      ['terminate'],
      ['kill'],
      ['sweep'],
      ['end'],
    ])
    expect(exitCodeOf(state)).toBe(0)
  })

  it('without a drain deregisters at once', () => {
    const rules = { ...DRAINS, drains: false }
    const { done } = play(['healthy', 'registered', 'stop', 'unregistered'], { rules })
    expect(done).toEqual([['register'], [], ['deregister'], ['terminate']])
  })

  it('deregisters first in a layout without weights, and lets the server finish its calls', () => {
    const rules = { ...DRAINS, carriesWeight: false }
    const { done } = play(['healthy', 'registered', 'stop', 'unregistered', 'drained'], { rules })
    expect(done.slice(2)).toEqual([['linger', 'deregister'], [], ['terminate']])
    const alone = play(['healthy', 'registered', 'stop', 'unregistered'], { rules, hasServer: false })
    expect(alone.done.slice(2)).toEqual([['deregister'], ['end']])
  })

  it('a second stop skips the drain: it revokes the lease, and sends SIGTERM without waiting for etcd', () => {
    const { done, state } = play([
      ...(['healthy', 'registered', 'stop', 'stop'] as const),
      exited(143, 'SIGTERM'),
      ...(['unregistered', 'swept'] as const),
    ])
    expect(done).toEqual([['register'], [], ['drain'], ['revoke', 'terminate'], ['sweep'], [], ['end']])
    expect(exitCodeOf(state)).toBe(130)
  })

  it('a second stop during the deletion of the key revokes the lease', () => {
    const { done } = play(['healthy', 'registered', 'stop', 'drained', 'stop'])
    expect(done.slice(3)).toEqual([['deregister'], ['revoke', 'terminate']])
  })

  it('a second stop during the shutdown of the server kills the server', () => {
    const { done } = play(['healthy', 'registered', 'stop', 'drained', 'unregistered', 'stop'])
    expect(done.slice(4)).toEqual([['terminate'], ['kill']])
  })

  it('a third stop ends the registrar without further waits', () => {
    const { done } = play(['healthy', 'registered', 'stop', 'stop', 'stop', 'stop'])
    expect(done.slice(3)).toEqual([['revoke', 'terminate'], ['kill', 'end'], []])
  })

  it('before the registration ends the server at once', () => {
    expect(play(['stop']).done).toEqual([['terminate']])
    expect(play(['healthy', 'stop', 'unregistered']).done).toEqual([['register'], ['giveUp'], ['terminate']])
  })

  it.each([
    ['it died of our SIGTERM', 143, 'SIGTERM', 0],
    ['it ended by itself, in order', 0, null, 0],
    ['it ended with a code of its own', 7, null, 7],
    ['it died of something else', 139, 'SIGSEGV', 139],
  ] as const)('exits, where %s, with %s → %s', (_, code, signal, wanted) => {
    const { state } = play(['stop', exited(code, signal), 'swept'])
    expect(exitCodeOf(state)).toBe(wanted)
  })
})

describe('a server that ends by itself', () => {
  it('is deregistered at once, without a drain; its remaining processes end after that', () => {
    const { done, state } = play(['healthy', 'registered', exited(137, 'SIGKILL'), 'unregistered', 'swept'])
    expect(done).toEqual([['register'], [], ['deregister'], ['sweep'], ['end']])
    expect(exitCodeOf(state)).toBe(137)
  })

  it('during its drain is deregistered at once', () => {
    const { done } = play(['healthy', 'registered', 'stop', exited(0), 'drained', 'unregistered'])
    expect(done.slice(2)).toEqual([['drain'], ['deregister'], [], ['sweep']])
  })

  it('has its remaining processes killed when the kill is due', () => {
    const { done } = play([exited(0), 'killDue', 'swept'])
    expect(done).toEqual([['sweep'], ['kill'], ['end']])
  })
})

describe('an unhealthy server', () => {
  it('is deregistered, and registered again when it is healthy, but never terminated', () => {
    const { done, state } = play([
      ...(['healthy', 'registered', 'unhealthy', 'unregistered', 'healthy', 'registered'] as const),
    ])
    expect(done).toEqual([['register'], [], ['deregister'], [], ['register'], []])
    expect(state.server).toBe('running')
  })

  it('that is healthy again before its key is deleted is registered again after the deletion', () => {
    const { done } = play(['healthy', 'registered', 'unhealthy', 'healthy', 'unregistered'])
    expect(done.slice(2)).toEqual([['deregister'], [], ['register']])
  })

  it('keeps its key with weight 0 under the rule weight0', () => {
    const rules = { ...DRAINS, unhealthy: 'weight0' } as const
    const { done, state } = play(['healthy', 'registered', 'unhealthy', 'unhealthy', 'healthy'], { rules })
    expect(done).toEqual([['register'], [], ['zeroWeight'], [], ['restoreWeight']])
    expect(phaseOf(state)).toBe('registered')
    expect(phaseOf(play(['healthy', 'registered', 'unhealthy'], { rules }).state)).toBe('unhealthy')
  })

  it('whose key was taken over meanwhile keeps running, and the conflict is thrown at the end', () => {
    const { done, state } = play([
      ...(['healthy', 'registered', 'unhealthy', 'unregistered', 'healthy'] as const),
      { type: 'claimFailed', error: TAKEN_OVER },
      ...(['unhealthy', 'healthy', 'stop'] as const),
      exited(0),
      'swept',
    ])
    expect(done.slice(4)).toEqual([['register'], [], [], [], ['terminate'], ['sweep'], ['end']])
    expect(errorOf(() => exitCodeOf(state))).toBe(TAKEN_OVER)
  })
})

describe('a key that another client deleted or took over', () => {
  it.each([
    ['deleted on purpose', null],
    ['taken over', TAKEN_OVER],
  ])('%s never ends the server, and is not put back', (_, error) => {
    const { done, state } = play(['healthy', 'registered', { type: 'lost', error }, 'unhealthy', 'healthy'])
    expect(done).toEqual([['register'], [], [], [], []])
    expect(state.server).toBe('running')
    expect(phaseOf(state)).toBe('deregistered')
  })

  it('ends a registrar without a server', () => {
    const alone = { hasServer: false }
    const deleted = play(['healthy', 'registered', { type: 'lost', error: null }], alone)
    expect(deleted.done.at(-1)).toEqual(['end'])
    expect(exitCodeOf(deleted.state)).toBe(0)
    const taken = play(['healthy', 'registered', { type: 'lost', error: TAKEN_OVER }], alone)
    expect(errorOf(() => exitCodeOf(taken.state))).toBe(TAKEN_OVER)
  })

  it('is a conflict at the end, also if only one of several keys was taken over', () => {
    const { state } = play(
      ['healthy', 'registered', { type: 'dropped', error: TAKEN_OVER }, 'stop', 'drained', 'unregistered'],
      { hasServer: false },
    )
    expect(errorOf(() => exitCodeOf(state))).toBe(TAKEN_OVER)
  })
})

describe('a retirement', () => {
  it('deregisters after a drain, and leaves the server running until it is stopped', () => {
    const { done } = play([
      'healthy',
      'registered',
      'retire',
      'drained',
      'unregistered',
      'unhealthy',
      'healthy',
      'stop',
    ])
    expect(done.slice(2)).toEqual([['drain'], ['deregister'], [], [], [], ['terminate']])
  })

  it('ends a registrar without a server', () => {
    const { done } = play(['healthy', 'registered', 'retire', 'drained', 'unregistered'], {
      hasServer: false,
    })
    expect(done.slice(2)).toEqual([['drain'], ['deregister'], ['end']])
  })
})
