import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { environmentOf, type Ran, type Tool } from './disco.js'

const MAIN = fileURLToPath(new URL('./resident-tool-main.js', import.meta.url))

/** Longer than any command that the resident tool may run. */
const DEADLINE_MS = 30_000

/**
 * The built tool as one process that runs commands one after the other, each with its own arguments, environment,
 * output and exit code. A run costs milliseconds, while a process costs half a second. It is for commands that print
 * and end. Tests of signals, pipes, terminals, standard input and the end of the process need `Disco`.
 */
export class ResidentTool implements Tool, AsyncDisposable {
  private child: ChildProcess | null = null
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly endpoints: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  run(...args: string[]): Promise<Ran> {
    const ran = this.last.then(() => this.runNow(args))
    this.last = ran.catch(() => undefined)
    return ran
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.last
    await this.end()
  }

  private async runNow(args: readonly string[]): Promise<Ran> {
    this.child ??= fork(MAIN, { execArgv: [] })
    const over = new AbortController()
    const { signal } = over
    const timer = setTimeout(() => over.abort(), DEADLINE_MS)
    try {
      this.child.send({ args, env: { ...environmentOf(this.endpoints), ...this.env } })
      const [ran] = await Promise.race([
        once(this.child, 'message', { signal }),
        once(this.child, 'exit', { signal }).then(() => Promise.reject(new Error('its process ended'))),
      ])
      return ran as Ran
    } catch (cause) {
      await this.end()
      throw new Error(`disco ${args.join(' ')} did not come to its end`, { cause })
    } finally {
      clearTimeout(timer)
      over.abort()
    }
  }

  private async end(): Promise<void> {
    const child = this.child
    this.child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}
