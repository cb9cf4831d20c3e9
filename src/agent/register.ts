import { EventEmitter } from 'node:events'
import type { RequestListener } from 'node:http'
import { type Abortable, unlessAborted } from '../domain/abortable.js'
import { DEFAULT_LAYOUT, layoutNamed } from '../domain/layouts/index.js'
import { AUTO, type Place } from '../domain/layouts/reader.js'
import { type WeightForm, weightChangeOf } from '../domain/weight.js'
import { completeAddress } from '../registry/complete-address.js'
import { withContext } from '../registry/context-options.js'
import type { Registration } from '../registry/registration/registration.js'
import { Registry, type RegistryOptions } from '../registry/registry.js'
import type { WeightChanged, WeightOptions } from '../registry/weight.js'
import { adminHandler } from './admin/handler.js'
import type { RegistrarEvents } from './registrar/events.js'
import { Registrar } from './registrar/registrar.js'

/**
 * The endpoint to register, and the connection to etcd, as for `Registry.open`. `signal` aborts the attempt to register;
 * it does not end a registration that has succeeded.
 */
export interface RegisterOptions extends RegistryOptions, Abortable {
  readonly service: string
  /** `host:port`, `:port` with this machine's address, or `unix:/path`; several addresses share one lease. */
  readonly addr: string | readonly [string, ...string[]]
  /** Default: 1, or the layout's own default. */
  readonly weight?: number
  readonly version?: string
  readonly id?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** TTL of the lease, in seconds. Default: 10, or the layout's own default. */
  readonly ttlSeconds?: number
  /** Whether to take keys that another registrar holds. Default: false. */
  readonly takeover?: boolean
  /** What to do when another client deletes a key on purpose: end the registration, or register again. Default: exit. */
  readonly onDelete?: 'exit' | 'reregister'
}

/** Options of a drain. */
export interface DrainOptions extends Abortable {
  /** How long the endpoints stay at weight 0 before they are deregistered. Default: 5,000 ms. */
  readonly graceMs?: number | undefined
}

/** Options of the HTTP handler. */
export interface HandlerOptions {
  /** Token that requests must carry as `Authorization: Bearer`. Default: null, so that requests need no token. */
  readonly token?: string | null
  /** How long `POST /drain` keeps weight 0 before it deregisters. Default: 5,000 ms. */
  readonly drainMs?: number
  /** Path at which the program's HTTP server mounts the handler, such as `/registration`. Default: the root. */
  readonly path?: string | undefined
}

/** Enough for every client to see weight 0 and to finish its calls. */
const DRAIN_MS = 5_000

/**
 * Registers the server in this process, and holds the registration until it is closed. Resolves once it is registered.
 * Without `endpoints`, the environment names the members of etcd: DISCO_ENDPOINTS or ETCDCTL_ENDPOINTS.
 *
 * @throws DiscoError USAGE for an invalid option, CONFLICT for a key that another registrar holds, ETCD_UNREACHABLE,
 *   ETCD_DENIED, and OUTCOME_UNKNOWN when etcd's answer to a write was lost
 * @example
 * ```ts
 * import { register } from 'disco-registry'
 *
 * const registration = await register({ service: 'hello', addr: ':1001', weight: 5, ttlSeconds: 10 })
 * process.once('SIGTERM', async () => {
 *   // Rejects while etcd does not answer: the lease lapses by itself, and running calls still get their replies.
 *   await registration.drain({ graceMs: 5_000 }).catch(({ message }) => console.warn(message))
 *   console.log('time to close the server')
 * })
 * ```
 */
export async function register(given: RegisterOptions): Promise<LiveRegistration> {
  given.signal?.throwIfAborted()
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
  try {
    await unlessAborted(registration.isHeld, options.signal)
  } catch (error) {
    // After an abort, the attempt is still running.
    registration.close().catch(() => undefined)
    throw error
  }
  return registration
}

/**
 * A registration of the server in this process, held until it is closed or another client ends it. It emits the events of
 * {@link RegistrarEvents}: `registered`, `changed`, `leaseLost`, `trouble`, `recovered`, `lost` and more.
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { register } from 'disco-registry'
 *
 * await using registration = await register({ service: 'hello', addr: '1.2.3.4:1001' })
 * registration.on('trouble', (cause) => console.warn(cause.message))
 * await registration.setWeight('+2')
 * createServer(registration.handler({ token: process.env.ADMIN_TOKEN ?? null })).listen(9001)
 * ```
 */
export class LiveRegistration extends EventEmitter<RegistrarEvents> implements AsyncDisposable {
  /**
   * Resolves when the registration has ended: closed, or deleted on purpose. Rejects with CONFLICT when it was
   * taken over, and with the registry's error when etcd did not confirm the end.
   */
  readonly ended: Promise<void>
  /** @internal Resolves once it is registered for the first time. */
  readonly isHeld: Promise<void>
  private readonly forwarded = new Set<keyof RegistrarEvents>()

  constructor(
    private readonly registry: Registry,
    private readonly registrar: Registrar,
  ) {
    super()
    // Every EventEmitter emits `newListener`, but RegistrarEvents does not declare it.
    const emitter: EventEmitter<{ newListener: [name: keyof RegistrarEvents] }> = this as never
    emitter.on('newListener', (name) => this.forward(name))
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

  /**
   * Changes the weight of all its endpoints, or of the one at `addr`, as `disco weight` does: to a number, or by
   * `'+2'`, `'50%'`.
   *
   * @throws DiscoError USAGE, CONFLICT; NOT_FOUND for an `addr` that is not registered here
   */
  async setWeight(
    weight: WeightForm,
    options: WeightOptions & { readonly addr?: string | undefined } = {},
  ): Promise<WeightChanged> {
    return await this.registrar.setWeight(weightChangeOf(weight), options)
  }

  /**
   * Sets weight 0, waits, then deregisters: after that, no client sends calls. An abort rejects the promise, but the drain
   * continues. Close the server even if this rejects: keys that etcd did not delete disappear when their lease ends.
   *
   * @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED or OUTCOME_UNKNOWN when etcd did not confirm the deregistration;
   *   CONFLICT when the registration was taken over
   */
  async drain({ graceMs = DRAIN_MS, signal }: DrainOptions = {}): Promise<void> {
    await unlessAborted(this.retire(graceMs), signal)
  }

  /**
   * Deregisters at once. Idempotent. An abort rejects the promise, but the deregistration continues.
   *
   * @throws DiscoError as `drain` does
   */
  async close({ signal }: Abortable = {}): Promise<void> {
    await unlessAborted(this.retire(0), signal)
  }

  /** Calls `close`, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * An HTTP handler that shows and changes the registration, for the program's own HTTP server: `GET /?weight=5`, `GET /`,
   * `PUT /weight?weight=5`, `POST /drain`, `/readyz`, `/livez` and `/metrics`, below `path`. Answers are JSON, or lines of
   * text for `Accept: text/plain`.
   */
  handler({ token = null, drainMs = DRAIN_MS, path }: HandlerOptions = {}): RequestListener {
    const { registry, registrar } = this
    return adminHandler({ registry, registrar, token, drainMs, path })
  }

  private async retire(drainMs: number): Promise<void> {
    await this.registrar.retire({ drainMs })
    await this.ended
  }

  /** Emits an event of the registrar here too, once it has a listener. */
  private forward<Name extends keyof RegistrarEvents>(name: Name): void {
    if (this.forwarded.has(name)) return
    this.forwarded.add(name)
    const listener = (...event: readonly unknown[]) => this.emit(name, ...(event as never))
    this.registrar.on(name, listener as never)
  }
}
