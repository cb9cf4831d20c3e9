import { type EndpointId, endpointId } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { effectiveWeight, weightsAreUnset } from '../domain/shares.js'
import type { ChannelSettings } from '../grpc/channel-options.js'
import { type Client, dial } from '../grpc/dial.js'
import type { Policy } from '../policies/index.js'
import { RunLog } from './run-log.js'

/** Who of the wanted endpoints could be reached. */
export interface Readiness {
  readonly ready: number
  readonly wanted: number
  readonly elapsedMs: number
  readonly unready: readonly { readonly id: EndpointId; readonly addr: string; readonly problem: string }[]
}

/** A channel to a service under one policy, with the log of what it does. */
export class Session {
  readonly log = new RunLog()
  readonly client: Client
  private readonly openedAtMs = performance.now()

  constructor(
    readonly service: string,
    readonly policy: Policy,
    settings: Pick<ChannelSettings, 'health'> = {},
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
    await this.log.until(() => this.log.list !== null, signal)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
    const isSettled = () => this.outOfReach !== null || this.unready().length === 0
    await this.log.until(isSettled, limit)
    if (signal.aborted) throw new DiscoError('INTERRUPTED', 'Interrupted before the first call')
    if (this.outOfReach) throw this.outOfReach
    const elapsedMs = performance.now() - this.openedAtMs
    const wanted = this.wanted().length
    const unready = this.unready()
    if (wanted > unready.length) return { ready: wanted - unready.length, wanted, elapsedMs, unready }
    if (this.log.registered.length === 0) throw this.nothingThere()
    const seconds = (elapsedMs / 1000).toFixed(1)
    throw new DiscoError('RPC_FAILED', `${this.service} has no endpoint that is READY after ${seconds}s`, {
      suggestions: unready.slice(0, 5).map(({ addr, problem }) => `${addr} ${problem}`),
    })
  }

  close(): void {
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

  private unready(): Readiness['unready'] {
    return this.wanted().flatMap((endpoint) => {
      const id = endpointId(endpoint)
      const connection = this.log.connections.get(id)
      if (connection?.isReady) return []
      return [{ id, addr: endpoint.addr, problem: inWords(connection?.problem ?? null) }]
    })
  }

  private nothingThere(): DiscoError {
    return new DiscoError('NOT_FOUND', `${this.service} has no endpoint (rev ${this.log.revision})`)
  }
}

/** What stopped a connection, without grpc-js's own wrapping. */
function inWords(problem: string | null): string {
  if (problem === null) return 'did not answer'
  if (problem.includes('ECONNREFUSED')) return 'connection refused'
  return problem.replace(/^.*Last error: /, '')
}
