import type { RequestListener } from 'node:http'
import { DEFAULT_LAYOUT, layoutNamed } from '../domain/layouts/index.js'
import { AUTO, type Place } from '../domain/layouts/reader.js'
import { parseWeightChange, type WeightChange } from '../domain/weight.js'
import { completeAddress } from '../registry/complete-address.js'
import { withContext } from '../registry/context-options.js'
import type { Registration } from '../registry/registration/registration.js'
import { Registry, type RegistryOptions } from '../registry/registry.js'
import type { WeightChanged } from '../registry/weight.js'
import { adminHandler } from './admin/handler.js'
import type { RegistrarEvents } from './registrar/events.js'
import { Registrar } from './registrar/registrar.js'

/** The endpoint to register, and the connection to etcd, as for `Registry.open`. */
export interface RegisterOptions extends RegistryOptions {
  readonly service: string
  /** `host:port`, `:port` with this machine's address, or `unix:/path`; several addresses share one lease. */
  readonly addr: string | readonly [string, ...string[]]
  /** Default: 1, or the layout's own default. */
  readonly weight?: number
  readonly version?: string
  readonly id?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** TTL of the lease. Default: 10, or the layout's own default. */
  readonly ttlSeconds?: number
  /** Whether to take keys that another registrar holds. Default: false. */
  readonly takeover?: boolean
  /** What to do when a key is deleted on purpose. Default: exit. */
  readonly onDelete?: 'exit' | 'reregister'
}

/** Enough for every client to see weight 0 and to finish its calls. */
const DRAIN_MS = 5_000

/**
 * Registers the server in this process, and holds the registration until it is closed. Resolves once it is registered.
 *
 * @throws DiscoError USAGE, CONFLICT, ETCD_UNREACHABLE, ETCD_DENIED
 */
export async function register(given: RegisterOptions): Promise<LiveRegistration> {
  const options = await withContext(given, process.env)
  const { service, addr, version = '', id, metadata = {}, takeover = false, onDelete = 'exit' } = options
  const { layout = DEFAULT_LAYOUT.name }: Place = options
  const { firstWeight, defaultTtlSeconds, weightless } =
    layout === AUTO ? DEFAULT_LAYOUT : layoutNamed(layout)
  const { weight = firstWeight, ttlSeconds = defaultTtlSeconds || 10 } = options
  const listed = typeof addr === 'string' ? [addr] : addr
  const addrs = await Promise.all(listed.map((text) => completeAddress(text, "addr: '1.2.3.4:1001'")))
  const [first, ...rest] = addrs.map((own) => ({
    service,
    addr: own,
    version,
    weight,
    metadata,
    ...(id === undefined ? {} : { id }),
  }))
  if (!first) throw new TypeError('register needs an address')
  const registry = await Registry.open({ cache: false, ...options, context: undefined })
  const registrar = new Registrar({
    registry,
    request: { registered: [first, ...rest], ttlSeconds, takeover, onDelete },
    carriesWeight: weightless === null,
    drainMs: 0,
    killAfterMs: 0,
  })
  const registration = new LiveRegistration(registry, registrar)
  await registration.isHeld
  return registration
}

/** A registration of the server in this process, held until it is closed or another client ends it. */
export class LiveRegistration implements AsyncDisposable {
  /**
   * Resolves when the registration has ended: closed, or deleted on purpose. Rejects with CONFLICT when it was
   * taken over, and with the registry's error when etcd did not confirm the end.
   */
  readonly ended: Promise<void>
  /** @internal Resolves once it is registered for the first time. */
  readonly isHeld: Promise<void>

  constructor(
    private readonly registry: Registry,
    private readonly registrar: Registrar,
  ) {
    this.ended = registrar.run().then(
      () => registry.close(),
      (error: unknown) => {
        registry.close()
        throw error
      },
    )
    this.ended.catch(() => undefined)
    this.isHeld = new Promise((resolve, reject) => {
      registrar.once('held', resolve)
      this.ended.catch(reject)
    })
  }

  /** The keys that are held now, with the record last seen under each. */
  get held(): Registration['held'] {
    return this.registrar.held
  }

  /** Adds a listener for an event: `registered`, `leaseLost`, `trouble`, `recovered`, `lost` and more. */
  on<Name extends keyof RegistrarEvents>(
    name: Name,
    listener: (...event: RegistrarEvents[Name]) => void,
  ): this {
    this.registrar.on(name, listener as never)
    return this
  }

  off<Name extends keyof RegistrarEvents>(
    name: Name,
    listener: (...event: RegistrarEvents[Name]) => void,
  ): this {
    this.registrar.off(name, listener as never)
    return this
  }

  /**
   * Changes the weight of all its endpoints, or of the one at `addr`, as `disco weight` does: to a number, or by
   * `+2`, `50%`.
   *
   * @throws DiscoError USAGE, CONFLICT; NOT_FOUND for an `addr` that is not registered here
   */
  async setWeight(
    weight: number | string | WeightChange,
    options: { addr?: string; force?: boolean } = {},
  ): Promise<WeightChanged> {
    const change = typeof weight === 'object' ? weight : parseWeightChange(String(weight))
    return await this.registrar.setWeight(change, options)
  }

  /** Sets weight 0, waits, then deregisters: after that, no client sends calls. */
  async drain({ graceMs = DRAIN_MS }: { graceMs?: number } = {}): Promise<void> {
    await this.registrar.retire({ drainMs: graceMs })
    await this.ended
  }

  /** Deregisters at once. Idempotent. */
  async close(): Promise<void> {
    await this.registrar.retire({ drainMs: 0 })
    await this.ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** An HTTP handler that shows and changes the registration, for a server of the program's own; see `adminHandler`. */
  handler({
    token = null,
    drainMs = DRAIN_MS,
  }: {
    token?: string | null
    drainMs?: number
  } = {}): RequestListener {
    const { registry, registrar } = this
    return adminHandler({ registry, registrar, token, drainMs })
  }
}
