import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A Greeter as a process, for those tests that kill it. Ends with its standard input, and so with the test. */
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

  /** Ends it as a power cut would: open calls are lost, nothing is deregistered. */
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
