import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The dev registry as a separate process, for comparisons with a real etcd process. */
export class DevRegistryProcess implements AsyncDisposable {
  private constructor(
    readonly endpoint: string,
    readonly pid: number,
    private readonly child: ChildProcess,
  ) {}

  /** @param nodeArgs flags of Node, such as `--cpu-prof` */
  static async start(nodeArgs: readonly string[] = []): Promise<DevRegistryProcess> {
    const main = fileURLToPath(new URL('./dev-registry-main.ts', import.meta.url))
    const args = [...nodeArgs, '--import', 'tsx', main]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout, pid } = child
    if (stdout === null || pid === undefined) throw new Error('the dev registry did not start')
    const [endpoint] = (await once(createInterface(stdout), 'line')) as [string]
    return new DevRegistryProcess(endpoint, pid, child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.child, 'exit')
    this.child.stdin?.end()
    await gone
  }
}
