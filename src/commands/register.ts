import { randomUUID } from 'node:crypto'
import { Args, Flags } from '@oclif/core'
import { completeAddress } from '../cli/address-argument.js'
import { DiscoCommand } from '../cli/base-command.js'
import { placeOf, type SaidPlace } from '../cli/config.js'
import { parseTtlSeconds } from '../cli/duration.js'
import { type PlaceFlags, placeFlags, versionFlag } from '../cli/flags.js'
import { requireServiceName } from '../cli/names.js'
import { RegisterView } from '../cli/register-view.js'
import { StopSignals } from '../cli/stop-signals.js'
import { DiscoError } from '../domain/errors.js'
import { DEFAULT_LAYOUT, type Layout, layoutNamed } from '../domain/layouts/index.js'
import { AUTO } from '../domain/layouts/reader.js'
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
    ttl: Flags.string({
      helpValue: '<seconds>',
      description: "time to live of the lease; 10, or what the layout's own writers take",
    }),
    weight: Flags.string({
      helpValue: '<weight>',
      description: "weight of the endpoint; 1, or what the layout's own writers give",
    }),
    version: versionFlag,
    id: Flags.string({ helpValue: '<id>', description: 'id of the endpoint, where its layout has one' }),
    ...placeFlags,
    takeover: Flags.boolean({ description: 'take the key from whoever holds it' }),
    'on-delete': Flags.option({ options: ['exit', 'reregister'] as const })({
      default: 'exit',
      description: 'what to do when somebody deletes the key on purpose',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Register)
    const layout = this.writtenLayout(flags)
    const service = requireServiceName(args.service, layout.name)
    const weight = flags.weight === undefined ? layout.firstWeight : parseWeight(flags.weight)
    const ttlSeconds = flags.ttl === undefined ? layout.defaultTtlSeconds || 10 : parseTtlSeconds(flags.ttl)
    const addr = await completeAddress(args.addr, `disco register ${service} 1.2.3.4:1001`)
    const id = flags.id ?? (layout.id === 'made' ? randomUUID() : undefined)
    const registered = {
      ...{ service, addr, version: flags.version ?? '', weight, metadata: {} },
      ...(id === undefined ? {} : { id }),
    }
    const registry = await this.openRegistry(flags)
    using stop = new StopSignals()
    const format = this.format(flags, process.stdout.isTTY ? 'table' : 'ndjson')
    const view = new RegisterView(
      format === 'table' || format === 'wide' ? this.palette(flags) : null,
      ttlSeconds,
      layout,
    )
    const request = { registered, ttlSeconds, takeover: flags.takeover, onDelete: flags['on-delete'] }
    const registration = await registry.register(request, view, stop.once).catch((error: unknown) => {
      if (stop.once.aborted) return null
      throw error
    })
    if (!registration) return
    const stopped = new Promise<'stopped'>((resolve) => {
      if (stop.once.aborted) resolve('stopped')
      stop.once.addEventListener('abort', () => resolve('stopped'))
    })
    if ((await Promise.race([registration.ended, stopped])) !== 'stopped') {
      view.deregisteredByOthers(registration.key)
      return
    }
    const now = new Promise<'now'>((resolve) => stop.twice.addEventListener('abort', () => resolve('now')))
    if ((await Promise.race([registration.close(), now])) === 'now') {
      await registration.abandon()
      process.exitCode = 130
    }
    view.closed(registration.key)
  }

  /** Written in the default layout, unless told otherwise. */
  protected override place(flags: PlaceFlags): SaidPlace {
    const place = placeOf(flags, process.env, DEFAULT_LAYOUT.name)
    if (place.layout !== AUTO) return place
    if (flags.layout === undefined) return { ...place, layout: DEFAULT_LAYOUT.name }
    throw new DiscoError('USAGE', 'A registration is written in one layout: auto is for reading', {
      suggestions: ['Those that can be written: disco layouts'],
    })
  }

  private writtenLayout(flags: PlaceFlags): Layout {
    return layoutNamed(this.place(flags).layout)
  }
}
