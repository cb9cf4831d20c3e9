import { Args, Flags } from '@oclif/core'
import { completeAddress } from '../cli/address-argument.js'
import { DiscoCommand } from '../cli/base-command.js'
import { parseTtlSeconds } from '../cli/duration.js'
import { versionFlag } from '../cli/flags.js'
import { requireServiceName } from '../cli/names.js'
import { RegisterView } from '../cli/register-view.js'
import { StopSignals } from '../cli/stop-signals.js'
import { parseWeight } from '../domain/weight.js'

export default class Register extends DiscoCommand {
  static override summary = 'Register an endpoint and hold it until stopped'
  static override description =
    'Holds a lease by keep-alives and takes it again whenever it is lost. Ctrl-C, SIGTERM and SIGHUP deregister at once; a second one revokes the lease without waiting. A registrar that was killed leaves the key to its TTL; the next one waits for that.'
  static override examples = [
    '<%= config.bin %> register hello 1.2.3.4:1001 --ttl 10',
    '<%= config.bin %> register hello :1001 --weight 5 --version 1.0.0',
  ]
  static override args = {
    service: Args.string({ required: true, description: 'the service' }),
    addr: Args.string({ required: true, description: 'host:port, [ipv6]:port, :port or unix:/path' }),
  }
  static override flags = {
    ttl: Flags.string({ default: '10', helpValue: '<seconds>', description: 'time to live of the lease' }),
    weight: Flags.string({ default: '1', helpValue: '<weight>', description: 'weight of the endpoint' }),
    version: versionFlag,
    takeover: Flags.boolean({ description: 'take the key from whoever holds it' }),
    'on-delete': Flags.option({ options: ['exit', 'reregister'] as const })({
      default: 'exit',
      description: 'what to do when somebody deletes the key on purpose',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Register)
    const service = requireServiceName(args.service)
    const weight = parseWeight(flags.weight)
    const ttlSeconds = parseTtlSeconds(flags.ttl)
    const addr = await completeAddress(args.addr, `disco register ${service} 1.2.3.4:1001`)
    const registered = { service, addr, version: flags.version ?? '', weight, metadata: {} }
    const registry = await this.openRegistry(flags)
    using stop = new StopSignals()
    const format = this.format(flags, process.stdout.isTTY ? 'table' : 'ndjson')
    const view = new RegisterView(
      format === 'table' || format === 'wide' ? this.palette(flags) : null,
      ttlSeconds,
    )
    const request = { registered, ttlSeconds, takeover: flags.takeover, onDelete: flags['on-delete'] }
    const registration = await registry.register(request, view, stop.once).catch((error: unknown) => {
      if (stop.once.aborted) return null
      throw error
    })
    if (!registration) return
    if (format === 'table' || format === 'wide') view.say('  Ctrl-C: deregister.')
    const stopped = new Promise<'stopped'>((resolve) => {
      if (stop.once.aborted) resolve('stopped')
      stop.once.addEventListener('abort', () => resolve('stopped'))
    })
    if ((await Promise.race([registration.ended, stopped])) !== 'stopped') {
      view.deregisteredByOthers(...registration.keys)
      return
    }
    const now = new Promise<'now'>((resolve) => stop.twice.addEventListener('abort', () => resolve('now')))
    if ((await Promise.race([registration.close(), now])) === 'now') {
      await registration.abandon()
      process.exitCode = 130
    }
    view.closed()
  }
}
