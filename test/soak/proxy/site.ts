import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProxyDoc } from '../../../src/cli/proxy/document.js'
import { Disco, type Process, until } from '../../support/disco.js'
import { RealEtcd } from '../../support/etcd.js'
import { EtcdApi } from '../../support/etcd-api.js'
import { freePorts } from '../../support/ports.js'
import { killSupervised } from '../../support/supervised.js'
import { SupervisedKinds } from '../../support/supervised-kinds.js'

const SERVICE = 'soak'
const SERVERS = 5
/** A short maximum age, so that connections of callers end throughout the soak. */
const AGE = '20s'

/** Memory of the proxy in use after a garbage collection. */
export interface MemorySample {
  readonly atMs: number
  /** Bytes of objects and buffers. */
  readonly heapBytes: number
  readonly rssBytes: number
}

/** A proxy process in front of five supervised servers, with an etcd of its own. */
export class ProxySite implements AsyncDisposable {
  private constructor(
    readonly etcd: RealEtcd,
    private readonly api: EtcdApi,
    private readonly tool: Disco,
    readonly servers: readonly SupervisedKinds[],
    readonly proxy: Process,
    readonly doc: ProxyDoc,
    readonly adminAddress: string,
    private readonly folder: string,
  ) {}

  static async start(): Promise<ProxySite> {
    const etcd = await RealEtcd.start()
    const tool = new Disco(etcd.endpoint)
    const ports = await freePorts(SERVERS + 1)
    const [adminPort = 0, ...serverPorts] = ports
    const servers = await Promise.all(serverPorts.map((port) => SupervisedKinds.start(tool, SERVICE, port)))
    const folder = mkdtempSync(join(tmpdir(), 'disco-proxy-soak-'))
    const reports = fileURLToPath(new URL('./heap-reports.js', import.meta.url))
    const adminAddress = `127.0.0.1:${adminPort}`
    const proxy = tool
      .with({ node: ['--expose-gc', '--import', reports] })
      .start(
        'proxy',
        SERVICE,
        '--listen',
        ':0',
        '--json',
        '--admin',
        adminAddress,
        '--max-connection-age',
        AGE,
        '--access-log',
        join(folder, 'access.log'),
      )
    await proxy.printed('disco.proxy/v1')
    const doc = JSON.parse(proxy.stdout) as ProxyDoc
    return new ProxySite(etcd, new EtcdApi(etcd.endpoint), tool, servers, proxy, doc, adminAddress, folder)
  }

  async setWeight(server: SupervisedKinds, weight: number): Promise<void> {
    await server.setWeight(this.api, weight)
  }

  /** Makes the proxy read its certificates and reopen its access log, whose content is deleted. */
  renew(): void {
    const file = join(this.folder, 'access.log')
    renameSync(file, `${file}.1`)
    this.proxy.child.kill('SIGHUP')
  }

  async sample(atMs: number): Promise<MemorySample> {
    const pattern = /memory (\d+) (\d+) (\d+)\n/g
    const before = [...this.proxy.stderr.matchAll(pattern)].length
    this.proxy.child.kill('SIGUSR2')
    await this.proxy.printed(pattern, before + 1)
    const [, heap, buffers, rss] = [...this.proxy.stderr.matchAll(pattern)].at(-1) ?? []
    return { atMs, heapBytes: Number(heap) + Number(buffers), rssBytes: Number(rss) }
  }

  /** Waits until all servers are READY at the proxy. */
  async untilWhole(): Promise<void> {
    await until(
      async () => (await this.ready()) === SERVERS,
      () => `${SERVERS} READY servers: ${this.proxy.stderr.slice(-1_000)}`,
    )
  }

  /** Value of a gauge or counter of the proxy, summed over all labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.adminAddress}/metrics`)).text()
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  /** The endpoints that the proxy knows, as JSON. */
  async endpoints(): Promise<string> {
    return await (await fetch(`http://${this.adminAddress}/endpoints`)).text()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
    this.api.close()
    await this.tool.stopAll()
    killSupervised()
    await this.etcd.stop()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  private async ready(): Promise<number> {
    return await this.metric('disco_proxy_endpoint_ready')
  }
}
