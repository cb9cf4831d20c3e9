import { fileURLToPath } from 'node:url'
import type { Disco, Process } from './disco.js'
import type { EtcdApi } from './etcd-api.js'
import { registration } from './etcd-state.js'
import { isUp, supervise } from './supervised.js'

const MAIN = fileURLToPath(new URL('./four-kinds-main.ts', import.meta.url))

/** A server of all four kinds of calls under `disco register … -- CMD`, which can be restarted and killed. */
export class SupervisedKinds {
  readonly addr: string

  private constructor(
    private readonly disco: Disco,
    private readonly service: string,
    private readonly port: number,
    private supervisor: Process,
  ) {
    this.addr = `127.0.0.1:${port}`
  }

  static async start(disco: Disco, service: string, port: number): Promise<SupervisedKinds> {
    return new SupervisedKinds(disco, service, port, await launched(disco, service, port))
  }

  /** Stops the server gracefully, like a deployment, and starts it again at the same address. */
  async restart(): Promise<void> {
    await this.stop()
    this.supervisor = await launched(this.disco, this.service, this.port)
  }

  /** Kills the server, but not its supervisor, which then unregisters it and exits. */
  async kill(): Promise<void> {
    const [, pid] = /pid (\d+)\r?\n/.exec(this.supervisor.stdout) ?? []
    if (pid === undefined) throw new Error(`no pid in ${this.supervisor.stdout}`)
    process.kill(Number(pid), 'SIGKILL')
    await this.supervisor.exited()
  }

  /** Starts the server again after `kill`. */
  async revive(): Promise<void> {
    this.supervisor = await launched(this.disco, this.service, this.port)
  }

  /** Sets the weight under the lease of the key. Does nothing if the key no longer exists. */
  async setWeight(api: EtcdApi, weight: number): Promise<void> {
    const [key, value] = registration(this.service, this.addr, { weight }).map(base64)
    const outcome = await api.call('KV/Put', { key, value, ignore_lease: true })
    if ('refused' in outcome && !outcome.refused.text.includes('key not found')) {
      throw new Error(`${this.addr}: ${outcome.refused.text}`)
    }
  }

  async stop(): Promise<void> {
    await this.supervisor.end('SIGTERM')
  }
}

async function launched(disco: Disco, service: string, port: number): Promise<Process> {
  const command = [process.execPath, '--import', 'tsx', MAIN, String(port)]
  const supervisor = supervise(disco, service, port, { command })
  await isUp(supervisor)
  return supervisor
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
