import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type EtcdVersion, findEtcd } from './etcd-binary.js'
import { etcdctlByApi } from './etcdctl-by-api.js'
import { freePorts } from './ports.js'

/** Data is kept in memory if there is a tmpfs, because etcd syncs every write and disks are shared. */
const DATA_ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const START_DEADLINE_MS = 45_000

/** Number of characters of etcd’s log in an error, enough to see why it did not start. */
const COMPLAINTS_LENGTH = 2_000

/** Running etcd processes. They are killed at exit, because a test that times out does not stop them. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The TLS files of a member, and of the etcdctl that connects to it. */
export interface EtcdTls {
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  /** The certificate of etcdctl if clients must present one. */
  readonly client?: { readonly certFile: string; readonly keyFile: string }
}

/** Addresses and name of a member in its cluster. */
export interface EtcdPlace {
  readonly name: string
  readonly clientPort: number
  /** URL at which the other members reach it. */
  readonly peerUrl: string
  /** URL at which it listens for them, if they reach it through a proxy. */
  readonly listenPeerUrl?: string
  /** `name=peer URL` of every member. */
  readonly cluster: string
}

export interface EtcdSettings {
  /** Further flags of etcd. */
  readonly args?: readonly string[]
  readonly tls?: EtcdTls
  /** By default, the member forms a cluster of its own. */
  readonly place?: EtcdPlace
  /** How the member joins a running cluster; by default, it is one of the initial members. */
  readonly joinsAs?: 'member' | 'learner'
  /** By default, the version of this run. */
  readonly version?: EtcdVersion
}

/** An etcd that a test uses, whether the test started it or not. */
export interface Etcd {
  /** `host:port` */
  readonly endpoint: string
  /** The last revision before the test, whose history starts after it. */
  readonly startRevision: number
  /** Runs etcdctl against this etcd, or does the same through its API. Returns the standard output. */
  ctl(...args: string[]): Promise<string>
}

/** A real etcd member on free loopback ports. Its data is deleted when it stops. */
export class RealEtcd implements Etcd, AsyncDisposable {
  readonly startRevision = 0
  /** `user:password` for etcdctl once authentication is on. */
  ctlUser = ''
  /** Part of the cluster id: data that starts with another token belongs to another cluster. */
  private token = 'first'
  private joinsAs: 'member' | 'learner' | null
  /** The end of etcd’s log. It is not useful while connections are cut. */
  private complaints = ''

  private constructor(
    readonly place: EtcdPlace,
    private readonly settings: EtcdSettings,
    private readonly dataFolder: string,
    private version: EtcdVersion | undefined,
    private child: ChildProcess | null = null,
  ) {
    this.joinsAs = settings.joinsAs ?? null
  }

  static async start(settings: EtcdSettings = {}): Promise<RealEtcd> {
    const place = settings.place ?? (await placeAlone())
    const etcd = new RealEtcd(place, settings, mkdtempSync(join(DATA_ROOT, 'disco-etcd-')), settings.version)
    await etcd.restart()
    return etcd
  }

  /** `host:port`, with or without TLS. */
  get endpoint(): string {
    return `127.0.0.1:${this.place.clientPort}`
  }

  /** The process id of the running member, for measurements. */
  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('etcd is not running')
    return this.child.pid
  }

  async ctl(...args: string[]): Promise<string> {
    const { tls } = this.settings
    const printed = tls || this.ctlUser !== '' ? null : await etcdctlByApi(this.endpoint, args)
    if (printed !== null) return printed
    const { stdout } = await promisify(execFile)(findEtcd('etcdctl', this.version), args, {
      env: {
        PATH: process.env.PATH,
        ETCDCTL_API: '3',
        ETCDCTL_ENDPOINTS: this.endpoint,
        ...(this.ctlUser === '' ? {} : { ETCDCTL_USER: this.ctlUser }),
        ...(tls ? { ETCDCTL_CACERT: tls.caFile } : {}),
        ...(tls?.client ? { ETCDCTL_CERT: tls.client.certFile, ETCDCTL_KEY: tls.client.keyFile } : {}),
      },
    })
    return stdout
  }

  /** Freezes the member: it accepts connections and never answers. */
  pause(): void {
    this.child?.kill('SIGSTOP')
  }

  resume(): void {
    this.child?.kill('SIGCONT')
  }

  /** Kills the member and keeps its data for a later `restart`. */
  async kill(): Promise<void> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }

  /** Starts a killed member again, or resumes a frozen one. */
  async revive(): Promise<void> {
    this.resume()
    if (this.child && (this.child.exitCode !== null || this.child.signalCode !== null)) await this.restart()
  }

  async restart(): Promise<void> {
    await this.kill()
    this.child = this.launch()
    await this.untilReady()
  }

  /** Restarts the member with another version on its data. etcd supports only upgrades, one minor version at a time. */
  async upgrade(version: EtcdVersion): Promise<void> {
    this.version = version
    await this.restart()
  }

  /** Stops the member and starts it without data, as a new member of the cluster. */
  async joinAnew(): Promise<void> {
    await this.throwAway()
    this.joinsAs = 'member'
    await this.restart()
  }

  /** Saves the content of etcd for a later `restore`. The file is deleted with the data. */
  async save(): Promise<string> {
    const file = join(this.dataFolder, `snapshot-${Date.now()}.db`)
    await this.ctl('snapshot', 'save', file)
    return file
  }

  /** Stops the member and replaces its data with a saved state. `restart` starts it again. */
  async restore(file: string): Promise<void> {
    await this.throwAway()
    const { name, peerUrl, cluster } = this.place
    await this.ctl(
      'snapshot',
      'restore',
      file,
      '--data-dir',
      this.memberFolder,
      '--name',
      name,
      '--initial-cluster',
      cluster,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--initial-cluster-token',
      this.token,
    )
  }

  /** Stops the member and deletes its data. `restart` starts it empty. */
  async throwAway(): Promise<void> {
    await this.kill()
    rmSync(this.memberFolder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Gives the member another cluster id from the next restored or empty start on. */
  becomeAnotherCluster(): void {
    this.token = `${this.token}-again`
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.dataFolder, { recursive: true, force: true, maxRetries: 5 })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  private get memberFolder(): string {
    return join(this.dataFolder, 'member-data')
  }

  private launch(): ChildProcess {
    const { name, clientPort, peerUrl, listenPeerUrl = peerUrl, cluster } = this.place
    const { tls, args = [] } = this.settings
    const clientUrl = `${tls ? 'https' : 'http'}://127.0.0.1:${clientPort}`
    const flags = [
      '--name',
      name,
      '--data-dir',
      this.memberFolder,
      '--logger',
      'zap',
      '--log-level',
      'error',
      '--listen-client-urls',
      clientUrl,
      '--advertise-client-urls',
      clientUrl,
      '--listen-peer-urls',
      listenPeerUrl,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--initial-cluster',
      cluster,
      '--initial-cluster-token',
      this.token,
      '--initial-cluster-state',
      this.joinsAs === null ? 'new' : 'existing',
      '--heartbeat-interval',
      '50',
      '--election-timeout',
      '500',
      // The cheapest hash of passwords: with etcd's default, each login costs a tenth of a second of CPU.
      '--bcrypt-cost',
      '4',
      ...(tls ? ['--cert-file', tls.certFile, '--key-file', tls.keyFile] : []),
      ...(tls?.client ? ['--client-cert-auth', '--trusted-ca-file', tls.caFile] : []),
      ...args,
    ]
    // Without the variables of the test, because etcd reads every ETCD_* variable as a flag.
    const child = spawn(findEtcd('etcd', this.version), flags, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {},
    })
    this.complaints = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaints = `${this.complaints}${text}`.slice(-COMPLAINTS_LENGTH)
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    return child
  }

  private async untilReady(): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS
    while (performance.now() < deadline) {
      if (this.child?.exitCode !== null) break
      if (await accepts(this.endpoint)) {
        // A learner refuses the read of the health command.
        const answered = await this.ctl('endpoint', this.joinsAs === 'learner' ? 'status' : 'health').then(
          () => true,
          () => false,
        )
        if (answered) return
      }
      await delay(25)
    }
    throw new Error(
      `etcd at ${this.endpoint} did not become healthy within ${START_DEADLINE_MS} ms: ${this.complaints}`,
    )
  }
}

async function placeAlone(): Promise<EtcdPlace> {
  const [clientPort = 0, peerPort] = await freePorts(2)
  const peerUrl = `http://127.0.0.1:${peerPort}`
  return { name: 'm1', clientPort, peerUrl, cluster: `m1=${peerUrl}` }
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
