import type { RequestListener } from 'node:http'
import { DEFAULT_LAYOUT, layoutNamed } from '../domain/layouts/index.js'
import { AUTO, type Place } from '../domain/layouts/reader.js'
import { parseWeightChange, type WeightChange } from '../domain/weight.js'
import { completeAddress } from '../registry/complete-address.js'
import type { Registration } from '../registry/registration/registration.js'
import { Registry, type RegistryOptions } from '../registry/registry.js'
import type { WeightChanged } from '../registry/weight.js'
import { adminHandler } from './admin/handler.js'
import type { RegistrarEvents } from './registrar/events.js'
import { Registrar } from './registrar/registrar.js'

/** Where etcd is, as for `Registry.open`, and what is registered there. */
export interface RegisterOptions extends Partial<RegistryOptions> {
  readonly service: string
  /** `host:port`, `:port` for this machine's address, `unix:/path`; several share one lease. */
  readonly addr: string | readonly [string, ...string[]]
  /** Default: 1, or what the layout's own writers give. */
  readonly weight?: number
  readonly version?: string
  readonly id?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Default: 10, or what the layout's own writers take. */
  readonly ttlSeconds?: number
  /** Takes keys that somebody else holds. Default: no. */
  readonly takeover?: boolean
  /** What to do when somebody deletes a key on purpose. Default: exit. */
  readonly onDelete?: 'exit' | 'reregister'
}

/** Time for every client to hear of weight 0 and to finish its calls. */
const DRAIN_MS = 5_000

/**
 * Registers the server that this process is, and holds the registration until it is closed.
 *
 * @throws DiscoError USAGE, CONFLICT, ETCD_UNREACHABLE, ETCD_DENIED
 */
export async function register(options: RegisterOptions): Promise<LiveRegistration> {
  const { service, addr, version = '', id, metadata = {}, takeover = false, onDelete = 'exit' } = options
  const { layout = DEFAULT_LAYOUT.name }: Place = options
  const { firstWeight, defaultTtlSeconds, weightless } =
    layout === AUTO ? DEFAULT_LAYOUT : layoutNamed(layout)
  const { weight = firstWeight, ttlSeconds = defaultTtlSeconds || 10 } = options
  const listed = typeof addr === 'string' ? [addr] : addr
  const addrs = await Promise.all(listed.map((text) => completeAddress(text, "addr: '1.2.3.4:1001'")))
  const [first, ...rest] = addrs.map((own) => ({
    ...{ service, addr: own, version, weight, metadata },
    ...(id === undefined ? {} : { id }),
  }))
  if (!first) throw new TypeError('register needs an address')
  const registry = await Registry.open({ endpoints: ['127.0.0.1:2379'], cache: false, ...options })
  const registrar = new Registrar({
    registry,
    request: { registered: [first, ...rest], ttlSeconds, takeover, onDelete },
    carriesWeight: weightless === null,
    ...{ drainMs: 0, killAfterMs: 0 },
  })
  const registration = new LiveRegistration(registry, registrar)
  await registration.isHeld
  return registration
}

/** A registration that is held until it is closed, or somebody else ends it. */
export class LiveRegistration implements AsyncDisposable {
  /**
   * Resolves when it is over: closed, or deleted by somebody on purpose. Rejects with CONFLICT when it was
   * taken over, and with the registry's error when etcd could not be told of the end.
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

  /** The keys that are held now, with what is known to stand under them. */
  get held(): Registration['held'] {
    return this.registrar.held
  }

  /** `registered`, `changed`, `leaseLost`, `reattached`, `trouble`, `recovered`, `lost` and more. */
  on<Name extends keyof RegistrarEvents>(
    name: Name,
    listener: (...told: RegistrarEvents[Name]) => void,
  ): this {
    this.registrar.on(name, listener as never)
    return this
  }

  off<Name extends keyof RegistrarEvents>(
    name: Name,
    listener: (...told: RegistrarEvents[Name]) => void,
  ): this {
    this.registrar.off(name, listener as never)
    return this
  }

  /**
   * Changes the weight of all its endpoints, or of one, as `disco weight` does: to a number, or by `+2`, `50%`.
   *
   * @throws DiscoError USAGE, CONFLICT, NOT_FOUND for an `addr` that is none of its own
   */
  async setWeight(
    weight: number | string | WeightChange,
    options: { addr?: string; force?: boolean } = {},
  ): Promise<WeightChanged> {
    const change = typeof weight === 'object' ? weight : parseWeightChange(String(weight))
    return await this.registrar.setWeight(change, options)
  }

  /** Weight 0, a while, then out of the registry: after that, no client has a reason to call. */
  async drain({ graceMs = DRAIN_MS }: { graceMs?: number } = {}): Promise<void> {
    await this.registrar.retire({ drainMs: graceMs })
    await this.ended
  }

  /** Out of the registry at once. Idempotent. */
  async close(): Promise<void> {
    await this.registrar.retire({ drainMs: 0 })
    await this.ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** An HTTP handler to read and steer it by, for a server of the program's own; see `adminHandler`. */
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
