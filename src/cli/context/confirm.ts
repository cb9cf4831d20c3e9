import { createInterface } from 'node:readline/promises'
import { DiscoError } from '../../domain/errors.js'
import { markInTexts } from '../../domain/look-alike.js'
import { StopSignals } from '../stop-signals.js'
import { visible } from '../terminal/visible.js'

/**
 * Asks on the terminal whether a production cluster is to be changed.
 *
 * @param label of its context
 * @throws DiscoError USAGE without a terminal, INTERRUPTED unless the answer is yes
 */
export async function confirmChange(label: string, change: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new DiscoError('USAGE', `${label} is production: a change without a question needs --yes`, {
      suggestions: [`Not done: ${change}`],
    })
  }
  const [question = ''] = markInTexts([`${label} is production. Change it: ${change}? [y/N] `])
  if (/^y(es)?$/i.test((await ask(visible(question))).trim())) return
  throw new DiscoError('INTERRUPTED', `Nothing was changed in ${label}`)
}

/** The answer; empty at the end of the input. Not in raw mode: Ctrl-C stays a signal. */
async function ask(question: string): Promise<string> {
  using stop = new StopSignals()
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('close', () => resolve(''))
      reader.question(question, { signal: stop.once }).then(resolve, reject)
    })
  } catch (cause) {
    if (!stop.once.aborted) throw cause
    process.stderr.write('\n')
    return ''
  } finally {
    reader.close()
  }
}
