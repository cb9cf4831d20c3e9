import type { Verdict } from '../../stats/verdict.js'
import type { Palette } from '../terminal/color.js'
import { capitalized } from '../terminal/units.js'

/** Facts about the judged run, for the sentences of the verdict. */
export interface JudgedRun {
  readonly policy: string
  readonly calls: number
  /** The weights in the order of the endpoints; null if they do not determine the expected shares. */
  readonly weights: readonly number[] | null
  /** Reservations about the run, such as unserved weight. They are shown with a PASS. */
  readonly reservations?: readonly string[]
}

/** Maximum number of weights in a sentence. */
const MAX_WEIGHTS_SHOWN = 8

/** The likely cause of each alternative that a failed run fits. */
const CAUSES = {
  'equal split': 'client uses round_robin or random, which ignore weights',
  pick_first: 'client uses pick_first, as gRPC does by default, or all calls share one connection',
  'stale weights': 'client does not receive changes of weights',
} as const

const FAILURES = {
  'equal split': 'weights ignored',
  pick_first: 'one endpoint gets every call',
  'stale weights': 'changed weights ignored',
} as const

/** The first line of a verdict, and the sentences below it. */
export function verdictLines(
  verdict: Verdict,
  judged: JudgedRun,
  palette: Palette,
): { readonly head: string; readonly below: readonly string[] } {
  const { result, sentence, below } = judgedParts(verdict, judged, palette)
  const { reservations = [] } = judged
  if (reservations.length === 0 || judged.calls === 0 || verdict.result !== 'pass') {
    return { head: `${result}  ${sentence}`, below }
  }
  return { head: `${result}, but ${reservations.join('; ')}.`, below: [capitalized(sentence), ...below] }
}

function judgedParts(
  verdict: Verdict,
  judged: JudgedRun,
  palette: Palette,
): { readonly result: string; readonly sentence: string; readonly below: readonly string[] } {
  const line = (result: string, sentence: string, below: readonly string[] = []) => ({
    result,
    sentence,
    below,
  })
  if (judged.calls === 0) return line(palette.bold('NONE'), 'no call was made')
  switch (verdict.result) {
    case 'pass':
      return line(palette.bold.green('PASS'), passed(verdict), ruledOut(verdict))
    case 'fail':
      return line(palette.bold.red('FAIL'), failed(verdict, judged), cause(verdict))
    case 'inconclusive': {
      const soFar = `Fits the expected shares so far: ${measure(verdict)}${testOf(verdict)}.`
      return line(palette.bold.yellow('INCONCLUSIVE'), tooFew(verdict, judged), [soFar])
    }
    case 'not-judged':
      return line(
        palette.bold('NOT JUDGED'),
        `${judged.policy} promises no shares: its picks depend on other inputs than weights.`,
      )
  }
}

/** A probability for display: `= 0.43`, `= 0.0016` or `< 0.0001`. */
export function probability(p: number): string {
  if (p < 0.0001) return '< 0.0001'
  return `= ${p < 0.1 ? Number(p.toPrecision(2)) : p.toFixed(2)}`
}

function passed(verdict: Verdict): string {
  const shares = verdict.equalSplitP === null ? 'spreads evenly' : 'follows the weights'
  if (verdict.neededCalls === null) return 'the only endpoint gets every call.'
  return `${shares}: ${measure(verdict)}${testOf(verdict)}.`
}

function ruledOut({ equalSplitP }: Verdict): string[] {
  return equalSplitP !== null && equalSplitP < 0.01
    ? [`Equal split ruled out (p ${probability(equalSplitP)}).`]
    : []
}

function failed(verdict: Verdict, { weights }: JudgedRun): string {
  const { alternative, alternativeP, equalSplitP } = verdict
  const asked = equalSplitP === null ? ' against an equal split' : againstWeights(weights)
  const seen = `${measure(verdict)}${asked}`
  if (alternative === null) {
    const others = equalSplitP === null ? 'pick_first' : 'an equal split or pick_first'
    return `strays from the expected shares: ${seen}; does not fit ${others} either.`
  }
  return `${FAILURES[alternative]}: ${seen}; fits ${alternative} (p ${probability(alternativeP ?? 0)}).`
}

function againstWeights(weights: readonly number[] | null): string {
  if (weights === null) return ' against the expected shares'
  return weights.length > MAX_WEIGHTS_SHOWN ? ' against the weights' : ` against ${weights.join(':')}`
}

function cause({ alternative }: Verdict): string[] {
  return alternative === null ? [] : [`Likely cause: ${CAUSES[alternative]}.`]
}

function tooFew({ neededCalls, equalSplitP }: Verdict, { calls }: JudgedRun): string {
  const what = equalSplitP === null ? 'that one endpoint gets every call' : 'ignored weights'
  const between = calls < (neededCalls ?? 0) ? '' : ' between two changes of membership'
  return `too few calls: it takes ${neededCalls}${between} to notice ${what}, and there were ${calls}.`
}

function measure({ gap, limit, p }: Verdict): string {
  if (limit === null) return `p ${probability(p ?? 1)}`
  return `largest gap ${gap.toFixed(2)} ${gap > 1 ? 'calls' : 'call'}, ${limit} allowed`
}

const TESTS = {
  'max-gap': 'deterministic policy',
  'chi-square': 'chi-square test',
  'exact-multinomial': 'exact test',
  'monte-carlo-multinomial': 'exact test, drawn',
} as const

function testOf({ test }: Verdict): string {
  return test === null ? '' : ` (${TESTS[test]})`
}
