import { Flags } from '@oclif/core'
import type { Registrar } from '../agent/registrar/registrar.js'
import { DiscoCommand } from '../cli/base-command.js'
import { type FullPlace, placeOf } from '../cli/config.js'
import { adminFlags, planAdmin } from '../cli/flags/admin.js'
import { refuseSwapped, requireServiceName } from '../cli/flags/arguments.js'
import type { BaseFlags } from '../cli/flags/base.js'
import { changeFlags, type PlaceFlags, placeFlags } from '../cli/flags/base.js'
import { argument, oneOf, refuseIneffective } from '../cli/flags/custom.js'
import { ttlFlag, waitFlag } from '../cli/flags/duration.js'
import { accessFlags, planProbe, probeFlags, refuseIneffectiveAccess } from '../cli/flags/probe.js'
import { type EndpointPlan, planEndpoints, registeredFlags } from '../cli/flags/register.js'
import { registeredTarget } from '../cli/flags/target.js'
import { isSharedRegistry } from '../cli/notes/notes.js'
import { isForPeople } from '../cli/output/format.js'
import { writeRemark } from '../cli/output/remark.js'
import { followServer } from '../cli/register/server.js'
import { RegisterView } from '../cli/register/view.js'
import { StopSignals } from '../cli/stop-signals.js'
import type { Palette } from '../cli/terminal/color.js'
import { seconds } from '../cli/terminal/units.js'
import { splitCommand } from '../cli/words/words.js'
import { readAddress } from '../domain/address.js'
import { hostHint } from '../domain/address-hints.js'
import { DiscoError } from '../domain/errors.js'
import { DEFAULT_LAYOUT, layoutNamed } from '../domain/layouts/index.js'
import { AUTO } from '../domain/layouts/reader.js'

/** Signals that are forwarded to the command: many servers handle them, and the registrar does not use them. */
const FORWARDED = ['SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGWINCH'] as const

/** Flags without effect on a command without --probe: its port is probed only until it accepts a connection. */
const AFTER_START_SETTINGS = ['fall', 'unhealthy']

const PROBE_SETTINGS = ['probe-interval', 'probe-timeout', 'rise', 'fall', 'unhealthy']

const DEFAULT_DRAIN_MS = 5_000

export default class Register extends DiscoCommand {
  static override summary = 'Register endpoints and hold them until stopped, and optionally run their server'
  static override description =
    'Keeps a lease alive, and takes a new one whenever it is lost. With -- CMD, starts the command, registers when its port accepts (or --probe finds it healthy), deregisters when it ends, and exits with its code. On Ctrl-C, SIGTERM or SIGHUP: weight 0, --drain, deregister, SIGTERM to the command, --kill-after, SIGKILL; without a command, deregisters at once. A second signal skips the drain. After a registrar was killed, its key remains until the lease expires, and the next registrar waits for that.'
  static override examples = [
    '<%= config.bin %> register hello 1.2.3.4:1001 --ttl 10',
    '<%= config.bin %> register hello :1001 --probe grpc -- node server.js',
    '<%= config.bin %> register hello :1001 :1002 --weight 5 --meta zone=a --admin :9001',
  ]
  static override usage = '<%= command.id %> SERVICE ADDR... [FLAGS] [-- CMD ARGS...]'
  static override strict = false
  static override args = {
    service: argument({
      required: true,
      description: 'the service, or etcd:///SERVICE, etcd://VERSION/SERVICE',
    }),
    addr: argument({
      required: true,
      description: 'host:port, [ipv6]:port, :port or unix:/path; several share one lease',
    }),
  }
  static override flags = {
    ttl: ttlFlag({
      description: "time to live of the lease; default: 10, or the layout's own",
    }),
    ...registeredFlags,
    ...placeFlags,
    ...changeFlags,
    takeover: Flags.boolean({ description: 'take the key from another registrar' }),
    'on-delete': Flags.custom(oneOf(['exit', 'reregister']))({
      default: 'exit',
      description: 'what to do when another client deletes the key on purpose',
    }),
    drain: waitFlag({
      allowsZero: true,
      description: `time at weight 0 before the key is deleted (default: ${seconds(DEFAULT_DRAIN_MS)} with a command, else 0)`,
    }),
    'kill-after': waitFlag({
      allowsZero: true,
      default: 10_000,
      description: 'time for the command to end after SIGTERM',
    }),
    ...probeFlags,
    ...accessFlags,
    ...adminFlags,
  }

  async run(): Promise<void> {
    const { own, command } = splitCommand(this.argv)
    this.argv = own
    this.output.ignoreFailures()
    const { args, argv, flags, metadata } = await this.parse(Register)
    const { service: name, version, place } = registeredTarget(args.service, flags.version)
    const placed = { ...flags, ...place }
    const layout = layoutNamed(this.place(placed).layout)
    refuseSwapped(args.service, args.addr, ['register', args.addr, args.service])
    const service = requireServiceName(name, layout.name)
    const endpoints = await planEndpoints(service, (argv as string[]).slice(1), { ...flags, version }, layout)
    this.warnOfAddresses(endpoints, flags)
    const hasCommand = command.length > 0
    if (!hasCommand) refuseIneffective({ flags, metadata }, ['kill-after'], 'without -- CMD')
    if (!hasCommand && flags.probe === undefined)
      refuseIneffective({ flags, metadata }, PROBE_SETTINGS, 'without --probe')
    if (hasCommand && flags.probe === undefined)
      refuseIneffective(
        { flags, metadata },
        AFTER_START_SETTINGS,
        'without --probe: the port is probed until it accepts',
      )
    refuseIneffectiveAccess({ flags, metadata })
    const probe = await planProbe(flags, endpoints, { hasCommand })
    if (flags.unhealthy === 'weight0' && layout.weightless !== null) {
      throw new DiscoError('USAGE', `The layout ${layout.name} carries no weight: ${layout.weightless}`)
    }
    const adminPlan = await planAdmin(flags)
    const { drain: drainMs = DEFAULT_DRAIN_MS, 'kill-after': killAfterMs } = flags
    const ttlSeconds = flags.ttl ?? (layout.defaultTtlSeconds || 10)
    await this.confirmChange(flags, `register ${service} ${args.addr}`)
    const registry = await this.openRegistry(placed)
    using stop = new StopSignals()
    const [{ Registrar }, { ServerProcess }, { adminHandler }, { startAdmin }] = await Promise.all([
      import('../agent/registrar/registrar.js'),
      import('../agent/processes/server-process.js'),
      import('../agent/admin/handler.js'),
      import('../net/admin/server.js'),
    ])

    const printer = this.printerFor(flags, hasCommand)
    const [first, ...others] = endpoints.map(({ registered }) => registered)
    if (!first) throw new DiscoError('USAGE', 'Missing address')
    const env = { DISCO_SERVICE: service, DISCO_ADDR: [first, ...others].map(({ addr }) => addr).join(',') }
    const stdout = printer.palette ? 'own' : 'stderr'
    const registrar = new Registrar({
      registry,
      request: {
        registered: [first, ...others],
        ttlSeconds,
        takeover: flags.takeover,
        onDelete: flags['on-delete'],
      },
      start: hasCommand ? () => ServerProcess.start(command, { env, stdout }) : null,
      health: probe?.gating ?? null,
      unhealthy: flags.unhealthy,
      carriesWeight: layout.weightless === null,
      drainMs: hasCommand || flags.drain !== undefined ? drainMs : 0,
      killAfterMs,
    })
    new RegisterView(printer.palette, ttlSeconds, layout, printer.print, this.writer(flags)).follow(registrar)
    followServer(registrar, {
      command: hasCommand ? command.join(' ') : null,
      addresses: endpoints.map(({ listens }) => listens).join(', '),
      waitsFor: probe?.what ?? null,
      unhealthy: flags.unhealthy,
    })
    registrar.once('registered', () => printer.palette && printer.print(hintOf(hasCommand, drainMs)))
    await using admin = adminPlan
      ? await startAdmin(adminPlan, adminHandler({ registry, registrar, token: adminPlan.token, drainMs }))
      : null
    if (admin) this.remark(`→ admin handler on http://${admin.address}`)
    if (hasCommand) {
      for (const signal of FORWARDED) process.on(signal, () => registrar.signal(signal))
      process.on('SIGTSTP', () => stopWithServer(registrar, ttlSeconds))
    }
    stop.onEach(() => registrar.stop())
    process.exitCode = await registrar.run()
  }

  /** Warns of addresses that clients on other machines cannot dial. */
  private warnOfAddresses(endpoints: readonly EndpointPlan[], flags: BaseFlags): void {
    const isShared = isSharedRegistry(this.members(flags))
    for (const { registered } of endpoints) {
      const hint = hostHint(readAddress(registered.addr), isShared)
      if (!hint) continue
      const mark = this.palette(flags, process.stderr).yellow('!')
      this.remark(`${mark} ${registered.addr}: ${hint.text}. Register another one: --advertise HOST`)
    }
  }

  /** A registration is written in the default layout unless --layout names another. */
  protected override place(flags: PlaceFlags): FullPlace {
    const place = placeOf(this.layersOf(flags), DEFAULT_LAYOUT.name)
    if (place.layout !== AUTO) return place
    if (flags.layout === undefined) return { ...place, layout: DEFAULT_LAYOUT.name }
    throw new DiscoError('USAGE', 'A registration is written in one layout: auto is for reading', {
      suggestions: ['Those that can be written: disco layouts'],
    })
  }

  /**
   * NDJSON on standard output, or lines for people. With a command, standard output belongs to the command, and lines
   * go to standard error; with NDJSON, the command's output goes to standard error instead.
   */
  private printerFor(
    flags: BaseFlags,
    hasCommand: boolean,
  ): { palette: Palette | null; print: (line: string) => void } {
    const format = this.format(flags, hasCommand || process.stdout.isTTY ? 'table' : 'ndjson')
    const stream = hasCommand ? process.stderr : process.stdout
    return {
      palette: isForPeople(format) ? this.palette(flags, stream) : null,
      print: (line) => (hasCommand ? this.remark(line) : this.outText(flags, line)),
    }
  }
}

/**
 * Stops this process and the server on Ctrl-Z. The server is not in the terminal's process group, so it would run on while
 * its registration lapses. Returns when both continue; a lapsed registration is then made again.
 */
function stopWithServer(registrar: Registrar, ttlSeconds: number): void {
  writeRemark(
    `→ stopped, and the server with it: the registration lapses within ${ttlSeconds}s; fg or bg continues both`,
  )
  registrar.suspendServer()
  process.kill(process.pid, 'SIGSTOP')
  registrar.resumeServer()
}

function hintOf(hasCommand: boolean, drainMs: number): string {
  if (!hasCommand) return '  Ctrl-C: deregister.'
  return `  Ctrl-C: ${drainMs > 0 ? `drain ${seconds(drainMs)}, ` : ''}deregister, stop child. Twice: now.`
}
