import { DiscoError } from '../../domain/errors.js'
import { ambiguousState, parseWaitCondition, type WaitCondition } from '../../domain/wait-condition.js'
import { completeAddressOrKey } from '../flags/arguments.js'
import type { Word } from '../words/words.js'

/** Parses a condition; completes an address such as `:1001`, as at registration. @throws DiscoError USAGE */
export async function readCondition(text: string, flag: string): Promise<WaitCondition> {
  const condition = parseWaitCondition(text, flag)
  if (!('addr' in condition) || condition.addr === null) return condition
  const addr = await completeAddressOrKey(condition.addr, "disco wait hello --for 'gone 1.2.3.4:1001'")
  return { ...condition, addr }
}

/** @throws DiscoError USAGE for `--for healthy`: without quotes, a shell cuts `>=3` from `--for healthy>=3` */
export function refuseCutCondition(words: Iterable<Word>): void {
  for (const word of words) {
    const isCondition =
      word.kind === 'flag' && word.name === 'for' && /^(ready|healthy)$/.test(word.value ?? '')
    if (isCondition) throw ambiguousState(word.value ?? '')
  }
}

/** The error if a condition stands in the place of the service; null if there is none. */
export function misplacedCondition(words: Iterable<Word>): DiscoError | null {
  let condition: string | undefined
  let service = 'SERVICE'
  for (const word of words) {
    if (word.kind === 'argument' && isPlainlyCondition(word.text)) condition ??= word.text
    else if (word.kind === 'argument') service = word.text
    else if (word.kind === 'flag' && word.name === 'for' && word.value && !isPlainlyCondition(word.value)) {
      service = word.value
    }
  }
  if (condition === undefined) return null
  return new DiscoError('USAGE', `"${condition}" is a condition, which belongs to --for`, {
    suggestions: [`Try: disco wait ${service} --for '${condition}'`],
  })
}

/** Whether the text can only be a condition: `ready>=1`, but not `gone`, which may name a service. */
function isPlainlyCondition(text: string): boolean {
  if (/^\w*$/.test(text)) return false
  try {
    parseWaitCondition(text, '--for')
    return true
  } catch {
    // An incomplete condition is reported elsewhere.
    return false
  }
}
