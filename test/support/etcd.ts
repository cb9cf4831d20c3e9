import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findEtcd } from './etcd-binary.js'
import { freePorts } from './ports.js'

/** Data belongs in memory where there is a tmpfs: etcd syncs every write, and disks here are shared. */
const DATA_ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const START_DEADLINE_MS = 20_000

/** One real etcd member on free loopback ports, with its data thrown away when it stops. */
export class RealEtcd implements AsyncDisposable {
  private constructor(
    readonly endpoint: string,
    private readonly args: readonly string[],
    private readonly dataFolder: string,
    private child: ChildProcess,
  ) {}

  static async start(extraArgs: readonly string[] = []): Promise<RealEtcd> {
    const [clientPort, peerPort] = await freePorts(2)
    const dataFolder = mkdtempSync(join(DATA_ROOT, 'disco-etcd-'))
    const client = `http://127.0.0.1:${clientPort}`
    const peer = `http://127.0.0.1:${peerPort}`
    const args = [
      ...['--name', 'm1', '--data-dir', dataFolder, '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `m1=${peer}`, '--heartbeat-interval', '50', '--election-timeout', '500'],
      ...extraArgs,
    ]
    const etcd = new RealEtcd(`127.0.0.1:${clientPort}`, args, dataFolder, launch(args))
    await etcd.untilReady()
    return etcd
  }

  /** The process id of the running member, for those who measure it. */
  get pid(): number {
    if (this.child.pid === undefined) throw new Error('etcd is not running')
    return this.child.pid
  }

  /** Runs etcdctl against this member; its standard output. */
  async ctl(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(findEtcd('etcdctl'), args, {
      env: { ...process.env, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: this.endpoint },
    })
    return stdout
  }

  /** Freezes the member: it accepts connections and never answers. */
  pause(): void {
    this.child.kill('SIGSTOP')
  }

  resume(): void {
    this.child.kill('SIGCONT')
  }

  /** Ends the member at once and keeps its data, for a later `restart`. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }

  async restart(): Promise<void> {
    await this.kill()
    this.child = launch(this.args)
    await this.untilReady()
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.dataFolder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  private async untilReady(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS
    while (Date.now() < deadline) {
      if (this.child.exitCode !== null) break
      if (await accepts(this.endpoint)) {
        const answered = await this.ctl('endpoint', 'health').then(
          () => true,
          () => false,
        )
        if (answered) return
      }
      await delay(25)
    }
    throw new Error(`etcd at ${this.endpoint} did not become healthy within ${START_DEADLINE_MS} ms`)
  }
}

function launch(args: readonly string[]): ChildProcess {
  // A bare environment: etcd reads every ETCD_* variable as a flag.
  return spawn(findEtcd('etcd'), args, { stdio: ['ignore', 'ignore', 'inherit'], env: {} })
}

function accepts(endpoint: string): Promise<boolean> {
  const [host, port] = endpoint.split(':') as [string, string]
  return new Promise((resolve) => {
    const socket = connect(Number(port), host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
