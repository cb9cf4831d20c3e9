import { type Endpoint, type EndpointId, endpointId } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { effectiveWeight, weightsAreUnset } from '../domain/shares.js'
import { explain } from '../grpc/connection-problem.js'
import { type Client, type DialSettings, dial } from '../grpc/dial.js'
import { isPrivate } from '../grpc/private-range.js'
import type { Policy } from '../policies/index.js'
import { RunLog } from './run-log.js'

/** Who of the wanted endpoints could be reached. */
export interface Readiness {
  readonly ready: number
  readonly wanted: number
  readonly elapsedMs: number
  readonly unready: readonly { readonly id: EndpointId; readonly addr: string; readonly problem: string }[]
}

export type SessionSettings = Pick<DialSettings, 'health' | 'serviceConfig' | 'tls'>

/** A channel to a service under one policy, with the log of what it does. */
export class Session implements Disposable {
  readonly log = new RunLog()
  readonly client: Client
  private readonly openedAtMs = performance.now()

  constructor(
    readonly service: string,
    readonly policy: Policy,
    private readonly settings: SessionSettings = {},
  ) {
    this.client = dial(service, { ...settings, policy, observer: this.log })
  }

  /**
   * Waits until every endpoint that has a share is READY, or the deadline is over: counted while connections
   * come up, no policy could follow its weights.
   *
   * @throws DiscoError RPC_FAILED when none is READY, NOT_FOUND when there is none, INTERRUPTED, and the
   *   registry's own error where it is out of reach and no list was kept
   */
  async connect(deadlineMs: number, signal: AbortSignal): Promise<Readiness> {
    await this.resolve(deadlineMs, signal)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
    const isSettled = () => this.outOfReach !== null || this.unready().length === 0
    await this.log.until(isSettled, limit)
    if (signal.aborted) throw new DiscoError('INTERRUPTED', 'Interrupted before the first call')
    if (this.outOfReach) throw atResolve(this.outOfReach)
    const elapsedMs = performance.now() - this.openedAtMs
    const wanted = this.wanted().length
    const unready = await this.explained()
    if (wanted > unready.length) return { ready: wanted - unready.length, wanted, elapsedMs, unready }
    if (this.log.registered.length === 0) throw this.nothingThere()
    const seconds = (elapsedMs / 1000).toFixed(1)
    throw new DiscoError('RPC_FAILED', `${this.service} has no endpoint that is READY after ${seconds}s`, {
      suggestions: unready.slice(0, 5).map(({ addr, problem }) => `${addr} ${problem}`),
    })
  }

  /** The registry's own deadline tells more about what is wrong with it, so this one leaves it the time. */
  private async resolve(deadlineMs: number, signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(2 * deadlineMs)])
    const isResolved = await this.log.until(() => this.log.list !== null, limit)
    if (isResolved || signal.aborted) return
    const seconds = (2 * deadlineMs) / 1000
    throw new DiscoError(
      'ETCD_UNREACHABLE',
      `The registry told nothing of ${this.service} within ${seconds}s`,
      {
        suggestions: ['The stage that hung: resolve'],
      },
    )
  }

  /** What `connect` waits for, in words. */
  get stage(): string {
    if (this.log.list === null) return `resolving ${this.service}`
    const wanted = this.wanted().length
    return `connecting to ${this.service}: ${wanted - this.unready().length}/${wanted} ready`
  }

  /** Whom plaintext reaches outside of private networks. */
  get exposed(): readonly Endpoint[] {
    if (this.settings.tls) return []
    return this.log.registered.filter(({ addr, problem }) => problem === null && !isPrivate(addr))
  }

  [Symbol.dispose](): void {
    this.client.close()
  }

  /** Why there is no list at all, if there is none. */
  private get outOfReach(): DiscoError | null {
    const { list } = this.log
    return list && list.revision === 0 ? list.stale : null
  }

  /** Those that balancing should serve: usable, and not drained. */
  private wanted() {
    const { registered } = this.log
    const unset = weightsAreUnset(registered)
    return registered.filter((endpoint) => effectiveWeight(endpoint, unset) > 0)
  }

  private unready() {
    return this.wanted().filter((endpoint) => !this.log.connections.get(endpointId(endpoint))?.isReady)
  }

  private explained(): Promise<Readiness['unready']> {
    const usesTls = this.settings.tls !== undefined
    return Promise.all(
      this.unready().map(async (endpoint) => {
        const id = endpointId(endpoint)
        const said = this.log.connections.get(id)?.problem ?? null
        return { id, addr: endpoint.addr, problem: await explain(endpoint.addr, said, usesTls) }
      }),
    )
  }

  private nothingThere(): DiscoError {
    return new DiscoError('NOT_FOUND', `${this.service} has no endpoint (rev ${this.log.revision})`)
  }
}

/** The registry's own error does not know what it was asked for. */
function atResolve({ code, message, suggestions, exit, cause }: DiscoError): DiscoError {
  const told = [...suggestions, 'The stage that failed: resolve']
  return new DiscoError(code, message, { suggestions: told, exit, cause })
}
