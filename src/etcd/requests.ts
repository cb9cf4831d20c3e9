import { DelegateBackoff, handleWhen, retry } from 'cockatiel'
import { unlessAborted } from '../domain/abortable.js'
import { MAX_TIMER_MS } from '../domain/duration.js'
import { Backoff } from '../net/backoff.js'
import type { Access } from './access.js'
import {
  isCredentialProblem,
  isStaleToken,
  isTransient,
  mayHaveArrived,
  translate,
  translateAll,
  wasClosed,
  wasDropped,
} from './errors.js'
import { GRPCDeadlineExceededError } from './etcd3.js'
import type { Member } from './member.js'
import type { Members } from './members.js'
import type { EtcdOptions } from './options.js'

/**
 * Maximum number of rounds in which all members are tried. Several, because a restarting member is soon available
 * again.
 */
const ROUNDS = 3
/** Wait after the first round without success. It doubles up to `MAX_WAIT_MS`. */
const FIRST_ROUND_WAIT_MS = 100

/**
 * grpc-js ends a request at its deadline by the wall clock; if the clock was set back, a timer ends it this much
 * later.
 */
const DEADLINE_GRACE_MS = 100

/**
 * A connection is replaced if a request with at least this deadline gets no answer. A shorter deadline may have been
 * too short.
 */
const MUTE_MS = 3_000

/** The time for repeating a write after its answer was lost, even if the limit of the request passes. */
const READ_BACK_MS = 1_000

/** Maximum wait between two rounds. */
const MAX_WAIT_MS = 500

/** Properties of a request besides its message. */
export interface RequestRules {
  /** The permission that the request needs, for error messages. */
  readonly access?: Access | undefined
  /** For writes: called for each try that etcd may have carried out although no answer came. */
  readonly onAnswerLost?: (() => void) | undefined
  /**
   * Ends the request: it rejects with the signal's reason. etcd may still carry out a request that was already sent.
   */
  readonly signal?: AbortSignal | undefined
}

type Send<T> = (member: Member, options: { deadline: number }) => Promise<T>

/**
 * Sends one request: to the current member, then to the others, within `commandTimeoutMs`. The request may be delivered
 * more than once: a second delivery of a write must have no further effect.
 */
export async function request<T>(
  members: Members,
  options: EtcdOptions,
  { access, onAnswerLost, signal }: RequestRules,
  send: Send<T>,
): Promise<T> {
  const startMs = performance.now()
  let endMs = startMs + options.commandTimeoutMs
  const { count } = members
  let tries = 0
  let isAnswerLost = false
  const failures = new Map<Member, unknown>()
  const noteFailure = (member: Member, error: unknown) => {
    // Moves the member to the end, because the map is in the order of the failures.
    failures.delete(member)
    failures.set(member, error)
    if (!onAnswerLost || !mayHaveArrived(error)) return
    onAnswerLost()
    if (!isAnswerLost) endMs = Math.max(endMs, performance.now() + READ_BACK_MS)
    isAnswerLost = true
  }
  const mayRetry = (error: Error) =>
    !signal?.aborted &&
    isTransient(error) &&
    (tries < ROUNDS * count || isAnswerLost) &&
    performance.now() < endMs - 10
  const backoff = new Backoff({ firstMs: FIRST_ROUND_WAIT_MS, maxMs: MAX_WAIT_MS })
  const policy = retry(handleWhen(mayRetry), {
    maxAttempts: Number.POSITIVE_INFINITY,
    // The next member is asked at once; only a round without success is followed by a wait.
    backoff: new DelegateBackoff(() => (tries % count === 0 ? backoff.next() : 0)),
  })
  try {
    const answer = policy.execute(async () => {
      tries++
      const round = Math.ceil(tries / count)
      // An unresponsive member may use all the time only if it is the only one. Each round allows each try more time.
      const tryMs = count === 1 ? Infinity : members.roundTrip.allow(options.dialTimeoutMs) * round
      const limitMs = () => Math.min(endMs - performance.now(), tryMs)
      return await once(members, limitMs, send, noteFailure)
    })
    return await unlessAborted(answer, signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (failures.size === 0) throw translate(error, options)
    const retries = { tries, elapsedMs: performance.now() - startMs }
    const facts = { ...options, retries, ...(access ? { access } : {}) }
    const byUrl = new Map([...failures].map(([{ url }, failure]) => [url, failure]))
    throw translateAll(byUrl, { ...facts, speaks: await protocolOf(failures) })
  }
}

/** One attempt at the current member, repeated at once if the login or the credentials were renewed. */
async function once<T>(
  members: Members,
  limitMs: () => number,
  send: Send<T>,
  noteFailure: (member: Member, error: unknown) => void,
): Promise<T> {
  let hasLoggedInAgain = false
  for (;;) {
    const member = members.current
    const startMs = performance.now()
    const limit = Math.max(0, limitMs())
    try {
      const answer = await within(member, limit, send)
      member.hasAnswered = true
      members.roundTrip.add(performance.now() - startMs)
      return answer
    } catch (error) {
      if (isStaleToken(error) && !hasLoggedInAgain) {
        hasLoggedInAgain = true
        member.forgetLogin()
        continue
      }
      // The files were read again, and the members replaced, while this request waited for a login.
      if (wasClosed(error) && members.current !== member) continue
      noteFailure(member, error)
      if (isCredentialProblem(error) && (await members.refresh(member))) continue
      if (error instanceof GRPCDeadlineExceededError && limit >= MUTE_MS) member.disconnect()
      if (isTransient(error)) members.moveOnFrom(member)
      throw error
    }
  }
}

/** Sends with a deadline that holds even if the wall clock, which grpc-js uses, is set back. */
export async function within<T>(member: Member, askedMs: number, send: Send<T>): Promise<T> {
  const limitMs = Math.min(askedMs, MAX_TIMER_MS - DEADLINE_GRACE_MS)
  member.loginDeadlineMs = performance.now() + limitMs
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const expire = () => reject(new GRPCDeadlineExceededError('Deadline exceeded'))
    timer = setTimeout(expire, limitMs + DEADLINE_GRACE_MS)
  })
  try {
    return await Promise.race([send(member, { deadline: Date.now() + limitMs }), late])
  } finally {
    clearTimeout(timer)
  }
}

/** The protocol of all members that dropped the connection, if it differs from that of their URLs. */
async function protocolOf(failures: ReadonlyMap<Member, unknown>): Promise<'tls' | 'plaintext' | null> {
  // A member that has answered before uses the protocol of its URL.
  const dropped = [...failures].filter(([{ hasAnswered }, failure]) => !hasAnswered && wasDropped(failure))
  const spoken = await Promise.all(dropped.map(([member]) => member.speaks()))
  const [first = null] = spoken
  return spoken.every((one) => one === first) ? first : null
}
