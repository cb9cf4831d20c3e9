import { createInterface } from 'node:readline/promises'
import { DiscoError } from '../../domain/errors.js'
import { markInTexts } from '../../domain/look-alike.js'
import { Progress } from '../output/progress.js'
import { presentedOnStderr } from '../output/remark.js'
import { StopSignals } from '../stop-signals.js'
import { visible } from '../terminal/visible.js'

/**
 * Asks on the terminal for confirmation of a change in a production cluster.
 *
 * @param label the name of its context in messages
 * @param change the change, such as `drain hello 1.2.3.4:1001`
 * @throws DiscoError USAGE without a terminal, INTERRUPTED unless the answer is yes
 */
export async function confirmChange(label: string, change: string): Promise<void> {
  const refusal = new DiscoError(
    'USAGE',
    `${label} is production: a change that cannot be confirmed on a terminal needs --yes`,
    {
      suggestions: [`Not done: ${change}`],
    },
  )
  const question = `${label} is production. Change it: ${change}? [y/N] `
  if (await isConfirmed(question, refusal)) return
  throw new DiscoError('INTERRUPTED', `Nothing was changed in ${label}`)
}

/**
 * Asks on the terminal for confirmation of a change of several endpoints.
 *
 * @param change the change and the endpoints, such as `drain 2 endpoints of hello (1.2.3.4:1001, 1.2.3.4:1002)`
 * @param where the label of a production context; null for any other context
 * @param show called before the question, if it is asked: prints what the answer depends on
 * @throws DiscoError USAGE without a terminal, INTERRUPTED unless the answer is yes
 */
export async function confirmBulk(
  change: string,
  where: string | null,
  show: () => void = () => undefined,
): Promise<void> {
  const refusal = new DiscoError('USAGE', `Not done without --yes: ${change}`, {
    suggestions: ['--dry-run shows what would be done'],
  })
  const warning = where === null ? '' : `${where} is production. `
  if (await isConfirmed(`${warning}Really ${change}? [y/N] `, refusal, show)) return
  throw new DiscoError('INTERRUPTED', 'Nothing was changed')
}

/** @throws `refusal` without a terminal */
async function isConfirmed(
  text: string,
  refusal: DiscoError,
  show: () => void = () => undefined,
): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw refusal
  show()
  // The progress line would be painted over the question.
  Progress.end()
  const [question = ''] = markInTexts([text])
  return /^y(es)?$/i.test((await ask(presentedOnStderr(visible(question)))).trim())
}

/** Returns the user's answer; empty at the end of the input. Without raw mode, so that Ctrl-C sends SIGINT. */
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
