import { Flags, type Interfaces } from '@oclif/core'
import { runCommand } from '../agent/processes/child-process.js'
import { DiscoCommand } from '../cli/base-command.js'
import type { DevProxy } from '../cli/dev/proxy.js'
import { backendFlags, planBackends } from '../cli/flags/backend.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { integerFlag, readBy } from '../cli/flags/custom.js'
import { StopSignals, untilAborted } from '../cli/stop-signals.js'
import { visible } from '../cli/terminal/visible.js'
import { splitCommand } from '../cli/words/words.js'
import type { Backend } from '../dev/backends.js'
import type { DevRegistry } from '../dev/etcd/server.js'
import { isLoopback, withoutSecrets } from '../domain/address.js'
import { DiscoError } from '../domain/errors.js'

/** The registry and the backends that `disco dev` started. */
export interface DevDoc {
  readonly schema: 'disco.dev/v1'
  /** The endpoint of the registry, for `--endpoints`. */
  readonly endpoint: string
  readonly service: string
  readonly backends: readonly { readonly addr: string; readonly weight: number }[]
  /** The address of the proxy; null if no proxy was started. */
  readonly proxy: string | null
}

/** The default port of `disco proxy`. */
const PROXY_PORT = 9000

const CAVEAT = 'in memory: nothing is kept on disk. For production, use a real etcd cluster.'

export default class Dev extends DiscoCommand {
  static override readonly readsContexts = false
  static override summary = 'Start a registry and sample backends, with nothing to install'
  static override description =
    `Speaks etcd's v3 API on a port, ${CAVEAT} With -- CMD, runs the command against it and ends with the command's exit code.`
  static override usage = 'dev [-- CMD…]'
  static override examples = [
    '<%= config.bin %> dev',
    '<%= config.bin %> dev --port 0 --backends 1,1,1,1,10 -- disco call hello SayHello --n 10',
  ]
  static override flags = {
    port: integerFlag({
      default: 2379,
      min: 0,
      max: 65_535,
      description: 'port of the registry; 0 for any free one',
    }),
    host: Flags.string({ default: '127.0.0.1', description: 'address to listen at' }),
    'allow-remote': Flags.boolean({
      description: 'accept connections from other machines; there is no authentication',
    }),
    service: Flags.custom<string>({
      parse: readBy(
        (text) => (text === '' || text.includes('/') ? undefined : text),
        'the name of a service: one segment of an etcd key, such as hello',
        withoutSecrets,
      ),
    })({ default: 'hello', description: 'service that the backends register under' }),
    version: Flags.string({ default: '1.0.0', description: 'version of the service' }),
    ...backendFlags,
    proxy: Flags.boolean({
      description:
        'start a gRPC load balancer in front of the service, as disco proxy does; CMD finds it in DISCO_PROXY',
    }),
    'proxy-port': integerFlag({
      min: 0,
      max: 65_535,
      description: `port of the proxy; implies --proxy; 0 for any free one [default: ${PROXY_PORT}]`,
    }),
  }

  async run(): Promise<DevDoc> {
    const { own, command } = splitCommand(this.argv)
    this.argv = own
    this.output.ignoreFailures()
    const { flags } = await this.parse(Dev)
    const { service } = flags
    const plans = planBackends(flags)
    refuseRemote(flags)
    using stop = new StopSignals()
    const registry = await listen(flags.host, flags.port)
    this.remarkRegistry(registry, flags)
    try {
      const { startBackends } = await import('../dev/backends.js')
      const backends = await startBackends(registry.endpoint, { service, version: flags.version, plans })
      try {
        await using proxy = await this.startProxy(registry.endpoint, flags, stop.once)
        const doc: DevDoc = {
          schema: 'disco.dev/v1',
          endpoint: registry.endpoint,
          service,
          backends: backends.list,
          proxy: proxy?.address ?? null,
        }
        this.remarkBackends(doc, flags)
        await this.serve(doc, command, stop.once)
        return doc
      } finally {
        await Promise.race([backends.close(), untilAborted(stop.twice)])
      }
    } finally {
      await registry.close()
    }
  }

  /** Null if no flag requests a proxy. */
  private async startProxy(
    endpoint: string,
    { host, service, proxy, 'proxy-port': port }: DevFlags,
    stop: AbortSignal,
  ): Promise<DevProxy | null> {
    if (!proxy && port === undefined) return null
    const { startDevProxy } = await import('../cli/dev/proxy.js')
    return await startDevProxy(endpoint, service, { host, port: port ?? PROXY_PORT }, stop)
  }

  /** Runs until stopped; with a command, until the command ends. */
  private async serve(
    { endpoint, proxy }: DevDoc,
    command: readonly string[],
    stop: AbortSignal,
  ): Promise<void> {
    if (command.length === 0) return await untilAborted(stop)
    const env = { DISCO_ENDPOINTS: endpoint, ETCDCTL_ENDPOINTS: endpoint }
    process.exitCode = await runCommand(command, proxy === null ? env : { ...env, DISCO_PROXY: proxy }, stop)
  }

  /** On standard error: standard output belongs to CMD. */
  private remarkRegistry({ endpoint }: DevRegistry, flags: BaseFlags): void {
    if (this.format(flags) === 'json') return
    const tick = this.palette(flags, process.stderr).green('✓')
    this.remark(`${tick} registry on ${endpoint}, ${CAVEAT}`)
  }

  private remarkBackends(doc: DevDoc, flags: BaseFlags): void {
    const { endpoint, service, backends, proxy } = doc
    if (this.format(flags) === 'json') {
      this.out(this.writer(flags).line(doc))
      return
    }
    const palette = this.palette(flags, process.stderr)
    for (const { addr, weight } of backends) {
      this.remark(`${palette.green('✓')} backend ${visible(service)} ${addr} weight ${weight}`)
    }
    if (proxy !== null) this.remark(`${palette.green('✓')} proxy on ${proxy} for ${visible(service)}`)
    this.remark(nextSteps(endpoint, service, backends[0], proxy))
  }
}

type DevFlags = Interfaces.InferredFlags<typeof Dev.flags>

function nextSteps(
  endpoint: string,
  service: string,
  first: Backend | undefined,
  proxy: string | null,
): string {
  const name = visible(service)
  const reach = endpoint === '127.0.0.1:2379' ? [] : [`export DISCO_ENDPOINTS=${endpoint}`]
  const steps = first
    ? [
        `disco ls ${name}`,
        `disco call ${name} SayHello --n 10`,
        ...(proxy === null ? [] : [`disco call ${proxy} SayHello --n 10`]),
        `disco weight ${name} ${first.addr} 5`,
        `disco watch ${name}`,
      ]
    : [`disco register ${name} 127.0.0.1:1001`]
  return [
    'Next, in another terminal:',
    ...[...reach, ...steps].map((step) => `  ${step}`),
    'Ctrl-C ends it.',
  ].join('\n')
}

function refuseRemote({ host, 'allow-remote': allowed }: DevFlags): void {
  if (allowed || isLoopback(host)) return
  throw new DiscoError(
    'USAGE',
    `${host} can be reached from other machines, and this registry has no authentication`,
    {
      suggestions: ['To allow this: --allow-remote'],
    },
  )
}

async function listen(host: string, port: number): Promise<DevRegistry> {
  const { startDevRegistry } = await import('../dev/etcd/server.js')
  try {
    return await startDevRegistry({ host, port })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const problems: Readonly<Record<string, DiscoError>> = {
      EADDRINUSE: new DiscoError('CONFLICT', `Port ${port} at ${host} is taken`, {
        cause,
        suggestions: ['Use any free port: --port 0, which prints it'],
      }),
      EACCES: new DiscoError('USAGE', `Port ${port} needs privileges`, {
        cause,
        suggestions: ['Ports from 1024 on need none'],
      }),
    }
    throw (
      problems[code ?? ''] ??
      new DiscoError('USAGE', `Cannot listen at ${host}:${port}: ${message}`, { cause })
    )
  }
}
