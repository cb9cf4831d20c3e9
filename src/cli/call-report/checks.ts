import type { DiscoError } from '../../domain/errors.js'
import { assertsErrors } from '../../stats/assertion.js'
import type { CallDoc } from '../call/document.js'
import { measuredText, statuses } from '../call/parts.js'
import { rateNotKept } from '../call/saturation.js'
import { uncolored } from '../terminal/color.js'
import { count } from '../terminal/units.js'
import { constantWeights, unservedWeight } from '../verdict/line-inputs.js'
import { verdictLines } from '../verdict/lines.js'

/** A condition that a run should meet, and whether it does. */
export interface Check {
  readonly name: string
  /** `skipped`: the condition was not judged, or it is not met and does not change the exit code. */
  readonly result: 'passed' | 'failed' | 'error' | 'skipped'
  readonly message: string
}

/** What the checks of a run depend on, besides its document. */
export interface CheckedBy {
  /** Whether the run is a single call, which has no checks of the verdict and of unserved weight. */
  readonly isSingle: boolean
  readonly strict: boolean
  /** The error of the first reply that cannot be decoded as a message of the method; null if there is none. */
  readonly replyProblem: DiscoError | null
}

/** The checks of a run. At least one is `failed` or `error` if and only if the exit code is not 0. */
export function checksOf(doc: CallDoc, { isSingle, strict, replyProblem }: CheckedBy): Check[] {
  const reservation = (isMet: boolean) => (isMet ? 'passed' : strict ? 'failed' : 'skipped')
  const unserved = unservedWeight(doc.unserved)
  const late = doc.starts.notStarted > 0 ? rateNotKept(doc) : null
  return [
    ...(doc.interrupted ? [check('run', 'error', `interrupted after ${count(doc.calls, 'call')}`)] : []),
    callsCheck(doc, isSingle),
    ...(replyProblem ? [check('replies', 'failed', replyProblem.message)] : []),
    ...doc.assertions.map((result) =>
      check(result.assertion, result.holds ? 'passed' : 'failed', measuredText(result)),
    ),
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

/** The verdict in words, without colours. */
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
  const isAsserted = !isSingle && assertsErrors(assertions)
  return check('calls', isAsserted ? 'skipped' : 'failed', `${what}${first}`)
}

function verdictResult({ verdict: { result } }: CallDoc, strict: boolean): Check['result'] {
  if (result === 'pass') return 'passed'
  if (result === 'fail') return 'failed'
  return strict && result === 'inconclusive' ? 'failed' : 'skipped'
}
