import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Action,
  type Event,
  initialState,
  isLeaving,
  type Rules,
  reduce,
  type State,
} from '../../src/agent/registrar/state.js'
import { DiscoError } from '../../src/domain/errors.js'

const CONFLICT = new DiscoError('CONFLICT', 'taken over')

/** Events from a registrar’s environment, possible at any time. */
const ACTS = [
  'healthy',
  'unhealthy',
  'stop',
  'retire',
  'killDue',
  'exit',
  'lose',
  'refuse',
  'answer',
  'drained',
] as const

type Act = readonly [(typeof ACTS)[number], number]

interface Story {
  readonly hasServer: boolean
  readonly rules: Rules
  readonly acts: readonly Act[]
}

/**
 * The environment of a registrar. It answers each action, in any order and with any delay, and sends no other answers.
 */
class World {
  /** Each action, with the state that resulted from it. */
  readonly done: { readonly action: Action; readonly state: State }[] = []
  private readonly answers: Event[] = []
  private isRunning: boolean
  private state: State

  constructor({ hasServer, rules, acts }: Story) {
    this.rules = rules
    this.isRunning = hasServer
    this.state = initialState({ hasServer })
    for (const [act, choice] of acts) this.play(act, choice)
  }

  private readonly rules: Rules

  get now(): State {
    return this.state
  }

  actions(...wanted: Action[]): Action[] {
    return this.done.flatMap(({ action }) => (wanted.includes(action) ? [action] : []))
  }

  /** Stops the registrar and answers every action; a terminated server exits. */
  settle(): void {
    this.apply({ type: 'stop' })
    for (let round = 0; round < 100 && !this.state.isOver; round++) {
      this.answer(round)
      if (this.state.drain === 'running') this.apply({ type: 'drained' })
      if (this.state.server === 'terminating' || this.state.server === 'killed') this.exit('SIGTERM')
    }
  }

  private play(act: (typeof ACTS)[number], choice: number): void {
    if (act === 'exit') this.exit(choice % 2 === 0 ? null : 'SIGKILL')
    else if (act === 'answer') this.answer(choice)
    else if (act === 'refuse') this.refuse()
    else if (act === 'lose') {
      if (this.state.key === 'held') this.apply({ type: 'lost', error: choice % 2 === 0 ? null : CONFLICT })
    } else if (act === 'drained') {
      if (this.state.drain === 'running') this.apply({ type: 'drained' })
    } else this.apply({ type: act })
  }

  private exit(signal: NodeJS.Signals | null): void {
    if (!this.isRunning) return
    this.isRunning = false
    this.apply({ type: 'exited', code: signal ? 137 : 0, signal })
  }

  private answer(choice: number): void {
    const [answer] = this.answers.splice(choice % Math.max(1, this.answers.length), 1)
    if (answer) this.apply(answer)
  }

  private refuse(): void {
    const at = this.answers.findIndex(({ type }) => type === 'registered')
    if (at < 0) return
    this.answers.splice(at, 1)
    this.apply({ type: 'claimFailed', error: CONFLICT })
  }

  private apply(event: Event): void {
    const { state, actions } = reduce(this.state, event, this.rules)
    this.state = state
    for (const action of actions) {
      this.done.push({ action, state })
      this.respond(action)
    }
  }

  private respond(action: Action): void {
    const isAsked = (type: Event['type']) => this.answers.some((answer) => answer.type === type)
    if (action === 'register') this.answers.push({ type: 'registered' })
    else if (action === 'sweep') this.answers.push({ type: 'swept' })
    else if (action === 'giveUp' && isAsked('registered')) {
      // A registration that is given up is either withdrawn or was already successful.
      if (this.done.length % 2 === 0) this.answers.splice(0, this.answers.length, { type: 'unregistered' })
    } else if ((action === 'deregister' || action === 'revoke') && !isAsked('unregistered')) {
      this.answers.push({ type: 'unregistered' })
    }
  }
}

const story: fc.Arbitrary<Story> = fc.record({
  hasServer: fc.boolean(),
  rules: fc.record({
    drains: fc.boolean(),
    carriesWeight: fc.boolean(),
    unhealthy: fc.constantFrom('deregister' as const, 'weight0' as const),
  }),
  acts: fc.array(fc.tuple(fc.constantFrom(...ACTS), fc.nat(9)), { maxLength: 40 }),
})

function always(holds: (world: World, story: Story) => void): void {
  fc.assert(
    fc.property(story, (steps) => holds(new World(steps), steps)),
    { numRuns: 2_000 },
  )
}

describe('a registrar with any events in any order', () => {
  it('terminates the server only when its key is deleted or lost, or after a second stop', () => {
    always(({ done }) => {
      for (const { action, state } of done) {
        if (action !== 'terminate' && action !== 'sweep') continue
        expect(state.key === 'out' || state.key === 'lost' || state.stops > 1).toBe(true)
      }
    })
  })

  it('does not terminate a server without a stop, unless its first registration was refused', () => {
    always((world, { acts }) => {
      if (acts.some(([act]) => act === 'stop') || world.now.failure) return
      expect(world.actions('terminate')).toEqual([])
    })
  })

  it('registers only a healthy server, and not after a stop', () => {
    always(({ done }) => {
      for (const { action, state } of done) {
        if (action === 'register') expect([state.health, isLeaving(state)]).toEqual(['good', false])
      }
    })
  })

  it('drains, terminates and ends at most once, and has no actions after its end', () => {
    always((world) => {
      for (const action of ['drain', 'linger', 'terminate', 'sweep', 'end'] as const) {
        expect(world.actions(action).length, action).toBeLessThanOrEqual(1)
      }
      if (world.now.isOver) expect(world.done.at(-1)?.action).toBe('end')
    })
  })

  it('ends after a stop once every action is answered, and leaves no key', () => {
    always((world, { hasServer }) => {
      world.settle()
      expect(world.now.isOver).toBe(true)
      if (world.now.stops > 2) return
      expect(['out', 'lost']).toContain(world.now.key)
      expect(world.now.server).toBe(hasServer ? 'swept' : 'none')
    })
  })
})
