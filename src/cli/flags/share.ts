import { DiscoError, invalidValue } from '../../domain/errors.js'
import { parseSelector } from '../../domain/selector.js'
import { percentText, readSharePpm, type SharePart } from '../../domain/share-plan.js'
import { completeAddressOrKey, isAddress } from './arguments.js'

/** A share that was given as an argument. */
export interface NamedPart extends SharePart {
  /** The text that selects the endpoints, such as `version=2.0.0`. */
  readonly selection: string
}

const EXAMPLE = 'disco shift hello version=2.0.0=5%'

/** Reads `version=2.0.0=5%` or `ADDR=10%`. The share follows the last `=`. @throws DiscoError USAGE */
export async function readPart(word: string): Promise<NamedPart> {
  const at = word.lastIndexOf('=')
  const share = word.slice(at + 1)
  const sharePpm = readSharePpm(share)
  if (at <= 0 || sharePpm === undefined) {
    throw new DiscoError('USAGE', `Invalid share "${word}": expected SELECTION=SHARE`, {
      suggestions: [`A share is 0% to 100%, such as 5% or 0.5%. Example: ${EXAMPLE}`],
    })
  }
  const selection = word.slice(0, at)
  return { ...(await readSelection(selection)), sharePpm }
}

/** Reads `version=2.0.0,zone=b`, an address or a key. @throws DiscoError USAGE */
export async function readSelection(selection: string): Promise<Pick<NamedPart, 'selection' | 'filter'>> {
  const isNamed = isAddress(selection) || isKey(selection)
  const filter = isNamed
    ? { select: [], addrs: [await completeAddressOrKey(selection, EXAMPLE)], host: null }
    : { select: parseSelector(selection, 'selection', { empty: 'quoted' }), addrs: [], host: null }
  return { selection, filter }
}

/** A key contains a slash, in some layouts not at the beginning. A text with an operator is a condition. */
function isKey(selection: string): boolean {
  return selection.startsWith('/') || (selection.includes('/') && !/[=!<>]|\s(?:not)?in\b/.test(selection))
}

/** Reads `5%,25%,100%` as shares in parts per million. @throws DiscoError USAGE */
export function readSteps(text: string, flag: string): readonly number[] {
  const steps = text.split(',').map((share) => readSharePpm(share.trim()))
  if (steps.every((step) => step !== undefined)) return steps
  throw invalidValue(flag, text, 'shares such as 5%,25%,100%')
}

/** Formats shares in parts per million as `5%,25%,100%`. */
export function stepsText(steps: readonly number[]): string {
  return steps.map(percentText).join(',')
}
