import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A Greeter in a process, for tests that kill it. It ends with its standard input, and therefore with the test. */
export class GreeterProcess implements AsyncDisposable {
  private constructor(
    readonly addr: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<GreeterProcess> {
    const main = fileURLToPath(new URL('./greeter-main.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main], { stdio: ['pipe', 'pipe', 'inherit'] })
    const [addr] = (await once(createInterface(child.stdout), 'line')) as [string]
    return new GreeterProcess(addr, child)
  }

  /** Kills the process like a power cut: open calls are lost, and nothing is deregistered. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
