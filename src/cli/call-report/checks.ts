import type { DiscoError } from '../../domain/errors.js'
import type { CallDoc } from '../call/document.js'
import { inUnitOf, statuses } from '../call/parts.js'
import { rateNotKept } from '../call/saturation.js'
import { uncolored } from '../terminal/color.js'
import { count } from '../terminal/units.js'
import { verdictLines } from '../verdict/lines.js'
import { constantWeights, unservedWeight } from '../verdict/standing.js'

/** One thing that a run must meet. */
export interface Check {
  readonly name: string
  /** Skipped: it does not hold, but without --strict that is no failure; or it was not judged. */
  readonly result: 'passed' | 'failed' | 'error' | 'skipped'
  readonly message: string
}

export interface CheckedBy {
  /** A single call: its verdict and its unserved weight do not count. */
  readonly isSingle: boolean
  readonly strict: boolean
  /** A reply that is not a message of the method. */
  readonly replyProblem: DiscoError | null
}

/** The checks of a run. Some of them failed, or are an error, if and only if the exit code is not 0. */
export function checksOf(doc: CallDoc, { isSingle, strict, replyProblem }: CheckedBy): Check[] {
  const reservation = (isMet: boolean) => (isMet ? 'passed' : strict ? 'failed' : 'skipped')
  const unserved = unservedWeight(doc.unserved)
  const late = doc.starts.notStarted > 0 ? rateNotKept(doc) : null
  return [
    ...(doc.interrupted ? [check('run', 'error', `interrupted after ${count(doc.calls, 'call')}`)] : []),
    callsCheck(doc, isSingle),
    ...(replyProblem ? [check('replies', 'failed', replyProblem.message)] : []),
    ...doc.assertions.map(({ assertion, actual, holds }) => {
      const measured =
        actual === null ? 'too few calls to measure it' : `it is ${inUnitOf(assertion, actual)}`
      return check(assertion, holds ? 'passed' : 'failed', measured)
    }),
    ...(isSingle
      ? []
      : [
          check('verdict', verdictResult(doc, strict), verdictText(doc)),
          check(
            'weight served',
            reservation(unserved === null),
            unserved ?? 'every endpoint with a share was READY',
          ),
          ...(late === null ? [] : [check('calls started', reservation(false), late)]),
        ]),
  ]
}

/** The verdict in words, without a palette. */
export function verdictText(doc: CallDoc): string {
  const weights = constantWeights(doc.calls, doc.endpoints)
  const { head, below } = verdictLines(
    doc.verdict,
    { policy: doc.policy, calls: doc.calls, weights },
    uncolored,
  )
  return [head, ...below].join(' ')
}

function check(name: string, result: Check['result'], message: string): Check {
  return { name, result, message }
}

function callsCheck({ calls, ok, failures, firstFailure, assertions }: CallDoc, isSingle: boolean): Check {
  if (ok === calls) return check('calls', 'passed', `${count(calls, 'call')}, all OK`)
  const what = `${calls - ok} of ${count(calls, 'call')} failed: ${statuses(failures)}`
  const first = firstFailure ? `; first: ${firstFailure.status}: ${firstFailure.details}` : ''
  const isAsserted = !isSingle && assertions.some(({ assertion }) => assertion.startsWith('errors'))
  return check('calls', isAsserted ? 'skipped' : 'failed', `${what}${first}`)
}

function verdictResult({ verdict: { result } }: CallDoc, strict: boolean): Check['result'] {
  if (result === 'pass') return 'passed'
  if (result === 'fail') return 'failed'
  return strict && result === 'inconclusive' ? 'failed' : 'skipped'
}
