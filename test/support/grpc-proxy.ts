import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { until } from './disco.js'
import { type EtcdVersion, findEtcd } from './etcd-binary.js'
import { freePorts } from './ports.js'

/** etcd's own gRPC proxy in front of one member, as a process on a free loopback port. */
export class GrpcProxy implements AsyncDisposable {
  private constructor(
    readonly endpoint: string,
    private readonly child: ChildProcess,
  ) {}

  /** @param target `host:port` of the member */
  static async start(target: string, version: EtcdVersion): Promise<GrpcProxy> {
    const [port = 0] = await freePorts(1)
    const endpoint = `127.0.0.1:${port}`
    const flags = ['grpc-proxy', 'start', `--endpoints=${target}`, `--listen-addr=${endpoint}`]
    // Newer versions connect to this address themselves, and exit if nothing answers there.
    flags.push(`--advertise-client-url=${endpoint}`)
    // Without the variables of the test, because etcd reads every ETCD_* variable as a flag.
    const child = spawn(findEtcd('etcd', version), flags, { stdio: 'ignore', env: {} })
    const proxy = new GrpcProxy(endpoint, child)
    await until(
      () => accepts(port),
      () => `the proxy at ${endpoint}`,
    )
    return proxy
  }

  /** Freezes the proxy: its connections stay open, and it answers nothing. */
  pause(): void {
    this.child.kill('SIGSTOP')
  }

  resume(): void {
    this.child.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
