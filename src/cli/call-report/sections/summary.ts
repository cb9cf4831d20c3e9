import type { CallDoc } from '../../call/document.js'
import { rateNotKept } from '../../call/saturation.js'
import { uncolored } from '../../terminal/color.js'
import { count, duration } from '../../terminal/units.js'
import { constantWeights, unservedWeight } from '../../verdict/line-inputs.js'
import { verdictLines } from '../../verdict/lines.js'
import { type CheckedBy, checksOf } from '../checks.js'
import { durationFigure, figure, percentFigure, wholeFigure } from '../figures.js'
import { type Markup, markup } from '../markup.js'

/** The verdict with its explanation, the failed checks, and the key figures. */
export function summary(doc: CallDoc, checkedBy: CheckedBy): Markup {
  return markup`${doc.interrupted ? interruption(doc) : null}${result(doc, checkedBy)}${failedChecks(doc, checkedBy)}${figures(doc)}`
}

function interruption({ calls }: CallDoc): Markup {
  return markup`<p class="banner warn">! Interrupted after ${count(calls, 'call')}: the numbers cover only these.</p>`
}

/** Names the failed checks: a verdict of PASS may stand beside an assertion that does not hold. */
function failedChecks(doc: CallDoc, checkedBy: CheckedBy): Markup | null {
  const failed = checksOf(doc, checkedBy).filter(({ result }) => result === 'failed')
  if (failed.length === 0) return null
  const names = failed.map(({ name, message }) => `${name} (${message})`).join('; ')
  return markup`<p class="banner bad">✗ ${count(failed.length, 'check')} failed: ${names}</p>`
}

function result(doc: CallDoc, { isSingle }: CheckedBy): Markup {
  if (isSingle && doc.calls > 0) return single(doc)
  const { calls, policy, verdict } = doc
  const weights = constantWeights(calls, doc.endpoints)
  const reservations = [unservedWeight(doc.unserved), rateNotKept(doc)].filter((one) => one !== null)
  const { head, below } = verdictLines(verdict, { policy, calls, weights, reservations }, uncolored)
  const isPass = verdict.result === 'pass' && calls > 0
  const kind = calls === 0 ? 'none' : isPass && reservations.length > 0 ? 'inconclusive' : verdict.result
  const remarks = isPass ? [] : reservations
  return verdictBox(kind, head, [...below, ...remarks.map((one) => `! ${one}.`)])
}

function single({ ok, failures, endpoints, latencyMs }: CallDoc): Markup {
  const at = endpoints.find(({ picks }) => picks > 0)?.addr ?? 'no endpoint'
  const [status = 'OK'] = Object.keys(failures)
  return verdictBox(ok === 1 ? 'pass' : 'fail', `${status} at ${at} in ${duration(latencyMs.max)}`, [
    'A single call: the shares are not judged.',
  ])
}

const GLYPHS: Readonly<Record<string, string>> = { pass: '✓', fail: '✗', inconclusive: '!' }

function verdictBox(kind: string, head: string, below: readonly string[]): Markup {
  const [, word = '', rest = ''] = /^(.*?)((?: {2}|, but ).*)?$/s.exec(head) ?? []
  const shown = rest === '' ? markup`${word}` : markup`<strong>${word}</strong>${rest}`
  return markup`<div class="verdict ${kind}"><span class="glyph" aria-hidden="true">${GLYPHS[kind] ?? '·'}</span><div><p class="head">${shown}</p><p>${below.join(' ')}</p></div></div>`
}

function figures(doc: CallDoc): Markup {
  const { calls, ok, attempts, elapsedMs, perSecond, latencyMs, ready } = doc
  const cards: [name: string, value: Markup, label: string][] = [
    ['calls', wholeFigure(calls), 'calls'],
    ['ok', markup`${wholeFigure(ok)} <small>${percentFigure(ok, calls)}</small>`, 'OK'],
    ['errors', wholeFigure(calls - ok), 'failed'],
    ...(attempts > calls
      ? [['attempts', wholeFigure(attempts), 'attempts'] as [string, Markup, string]]
      : []),
    ['perSecond', figure(perSecond, Math.round(perSecond).toLocaleString('en-US')), 'calls per second'],
    ['elapsedMs', durationFigure(elapsedMs), 'duration'],
    ['p50', durationFigure(latencyMs.p50), 'p50'],
    ['p95', durationFigure(latencyMs.p95), 'p95'],
    ['p99', durationFigure(latencyMs.p99), 'p99'],
    ['max', durationFigure(latencyMs.max), 'max'],
    [
      'ready',
      markup`${wholeFigure(ready.endpoints)} <small>of ${wholeFigure(ready.registered)}</small>`,
      'READY at the start',
    ],
  ]
  const items = cards.map(
    ([name, value, label]) => markup`<div class="${name}"><dd>${value}</dd><dt>${label}</dt></div>`,
  )
  return markup`<dl class="figures">${items}</dl>`
}
