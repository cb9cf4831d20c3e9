import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { environmentOf, type Ran, type Tool } from './disco.js'

const MAIN = fileURLToPath(new URL('./resident-tool-main.js', import.meta.url))

/** Longer than any command that the resident tool may run. */
const DEADLINE_MS = 30_000

/** A process that runs one command line after the other. It starts with the first one. */
class ToolProcess {
  private child: ChildProcess | null = null
  private last: Promise<unknown> = Promise.resolve()

  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
    const ran = this.last.then(() => this.runNow(args, env))
    this.last = ran.catch(() => undefined)
    return ran
  }

  /** Ends the process after the commands that were given to it. */
  async close(): Promise<void> {
    await this.last
    await this.end()
  }

  private async runNow(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
    this.child ??= fork(MAIN, { execArgv: [] })
    const over = new AbortController()
    const { signal } = over
    const timer = setTimeout(() => over.abort(), DEADLINE_MS)
    try {
      this.child.send({ args, env })
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

/** The process for all files of the worker. It ends when the worker closes the connection to it. */
const shared = new ToolProcess()

/**
 * The built tool as one process that runs commands one after the other, each with its own arguments, environment,
 * output and exit code. A run costs milliseconds, while a process costs half a second. It is for commands that print
 * and end. Tests of signals, pipes, terminals, standard input and the end of the process need `Disco`.
 */
export class ResidentTool implements Tool, AsyncDisposable {
  /** Code may read the environment once, so a process is shared only by tools with the same variables. */
  private readonly process: ToolProcess

  constructor(
    private readonly endpoints: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {
    this.process = Object.keys(env).length === 0 ? shared : new ToolProcess()
  }

  run(...args: string[]): Promise<Ran> {
    return this.process.run(args, { ...environmentOf(this.endpoints), ...this.env })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process !== shared) await this.process.close()
  }
}
