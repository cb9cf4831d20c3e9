import type { Severity } from '../../doctor/finding.js'
import type { Palette } from '../terminal/color.js'
import { count } from '../terminal/units.js'
import { markInReport, visible } from '../terminal/visible.js'
import type { DoctorDoc, FindingDoc } from './document.js'

const GLYPHS: Readonly<Record<Severity, string>> = { error: '✗', warning: '!', info: '·' }

/** Width of the titles, so that the texts behind them are aligned. */
const TITLE_WIDTH = 15

/** Lines about the given endpoints' traffic, the findings with their fixes, and the checks, made or not. */
export function renderDoctor(doc: DoctorDoc, palette: Palette): string {
  const blocks = [
    doc.answers.map((answer) => answerLine(answer, palette)),
    doc.findings.flatMap((finding) => findingLines(finding, palette)),
    doc.checks.length === 0 ? [] : [checkLine(doc.checks, palette)],
    doc.unchecked.map(({ what, why }) => palette.dim(`? not checked: ${visible(what)}: ${visible(why)}`)),
  ]
  return markInReport(blocks.flat().join('\n'))
}

function answerLine({ addr, key, traffic, text }: DoctorDoc['answers'][number], palette: Palette): string {
  const name = visible(addr || key)
  if (traffic === 'some') return `${palette.green('✓')} ${name}: ${visible(text)}`
  if (traffic === 'none') return `${palette.red('✗')} ${name}: ${visible(text)}`
  return `${palette.yellow('?')} ${name}: ${visible(text)}`
}

function findingLines(finding: FindingDoc, palette: Palette): string[] {
  const { code, severity, title, key, service, member, since, text, cost, mend, fixed } = finding
  const paint = severity === 'error' ? palette.red : severity === 'warning' ? palette.yellow : palette.dim
  const where = visible(key ?? service ?? member ?? 'etcd')
  const facts = [since === null ? null : `since rev ${since}`, visible(text), cost && visible(cost)]
  const head = `${paint(GLYPHS[severity])} ${code} ${title.padEnd(TITLE_WIDTH)} ${where}   ${facts.filter(Boolean).join('; ')}`
  const done = fixed === null ? [] : [`       ${FIXED[fixed](palette)}`]
  const { command, otherwise } = mend
  if (command === null && otherwise === null) return [head, ...done]
  const how =
    command === null
      ? `fix: ${visible(otherwise ?? '')}`
      : `fix: ${visible(command)}${otherwise === null ? '' : `   ${palette.dim(`(${visible(otherwise)})`)}`}`
  return [head, `       ${how}`, ...done]
}

const FIXED: Readonly<Record<NonNullable<FindingDoc['fixed']>, (palette: Palette) => string>> = {
  removed: (palette) => `${palette.green('✓')} removed`,
  gone: (palette) => `${palette.green('✓')} another client has removed it`,
  changed: (palette) =>
    `${palette.yellow('!')} not removed: the key, or a key that its removal depends on, was written meanwhile`,
  alive: (palette) => `${palette.yellow('!')} not removed: a server answers there now`,
  planned: () => '→ would be removed by --fix',
}

function checkLine(checks: DoctorDoc['checks'], palette: Palette): string {
  return checks
    .map(({ ok, text }) => `${ok ? palette.green('✓') : palette.red('✗')} ${visible(text)}`)
    .join('   ')
}

/** The summary, a line for standard error. */
export function summaryLine({ errors, warnings, services, endpoints, rev, unchecked }: DoctorDoc): string {
  const found =
    errors + warnings === 0
      ? 'no error, no warning'
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`
  const open = unchecked.length === 0 ? '' : `; not everything could be checked`
  if (rev !== null && services > 0) {
    return `${found} in ${count(services, 'service')}, ${count(endpoints, 'endpoint')} (rev ${rev})${open}`
  }
  // Nothing was examined, so "no error, no warning" would mislead.
  const nothing = rev === null ? 'no registration was read' : `no service was found (rev ${rev})`
  return `${errors + warnings === 0 ? '' : `${found}; `}${nothing}${open}`
}
