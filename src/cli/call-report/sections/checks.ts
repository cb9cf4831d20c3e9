import type { CallDoc } from '../../call/document.js'
import { probability } from '../../verdict/lines.js'
import { type Check, type CheckedBy, checksOf } from '../checks.js'
import { figure, table, wholeFigure } from '../figures.js'
import { type Markup, markup, NOTHING } from '../markup.js'

const RESULTS: Readonly<Record<Check['result'], string>> = {
  passed: '✓ passed',
  failed: '✗ failed',
  error: '✗ error',
  skipped: '– does not fail',
}

/** Each check with its result, and the numbers of the verdict. */
export function checksSection(doc: CallDoc, checkedBy: CheckedBy): Markup {
  const checks = table('checks', checksOf(doc, checkedBy), [
    { head: 'Check', cell: ({ name }) => name },
    {
      head: 'Result',
      cell: ({ result }) => markup`<span class="result ${result}">${RESULTS[result]}</span>`,
    },
    { head: 'Reason', cell: ({ message }) => message },
  ])
  return markup`<section><h2>Checks</h2>${checks}${checkedBy.isSingle ? NOTHING : verdictNumbers(doc)}</section>`
}

function verdictNumbers({ verdict, calls }: CallDoc): Markup {
  const { test, gap, limit, p, equalSplitP, neededCalls, alternative, alternativeP } = verdict
  const chance = (value: number | null) =>
    figure(value, value === null ? '' : probability(value).replace('= ', ''))
  const facts: [string, Markup][] = [
    ['test', markup`${test ?? 'none: the policy promises no shares'}`],
    ['largest gap', markup`${figure(gap, `${gap.toFixed(2)} calls`)}`],
    ['gap allowed', limit === null ? markup`–` : figure(limit, `${limit} calls`)],
    ['p', chance(p)],
    ['p of an equal split', chance(equalSplitP)],
    [
      'calls needed',
      neededCalls === null ? markup`–` : markup`${wholeFigure(neededCalls)}, made ${wholeFigure(calls)}`,
    ],
    ...(alternative === null
      ? []
      : [['fits better', markup`${alternative}, p ${chance(alternativeP)}`] as [string, Markup]]),
  ]
  const items = facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)
  return markup`<h3>The test of the verdict</h3><dl class="facts verdict-numbers">${items}</dl>`
}
