import type { Endpoint } from '../../domain/endpoint.js'
import type { RegisteredEndpoint } from '../../grpc/resolver/endpoint.js'
import type { RegistryState } from '../../grpc/resolver/list-part.js'
import type { ResolvedList } from '../../grpc/resolver/live-list.js'
import type { Observer } from '../../grpc/resolver/observer.js'
import { registryLines } from '../registries/parts.js'
import { ServerView } from '../serving.js'
import { count, duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { ProxyDoc } from './document.js'

/** Lines of a proxy about its start, its endpoints and the registry. */
export class ProxyView extends ServerView {
  started({ listen, policy, services }: ProxyDoc): void {
    this.line(`${this.palette.green('✓')} proxy on ${listen}, policy ${policy}`)
    for (const { target, endpoints, ready, registries = [] } of services) {
      const name = visible(target)
      if (endpoints === null) this.line(`  ${this.palette.yellow('!')} ${name}: no list yet`)
      else this.line(`  ${name}: ${count(endpoints, 'endpoint')}, ${ready} READY`)
      for (const line of registryLines(registries, this.palette)) this.line(`    ${line}`)
    }
    this.line('  Ctrl-C: finish the calls, end. Twice: now.')
  }

  draining(calls: number, drainMs: number): void {
    this.line(`→ no new calls; ${count(calls, 'call')} may finish within ${duration(drainMs)}`)
  }

  /** Returns an observer that reports the endpoints and the registry of a target. */
  observer(target: string): Observer {
    const name = visible(target)
    const problems = new Map<string, string>()
    const outages = new Map<string | null, string>()
    return {
      resolved: (list: ResolvedList) => {
        const { registered, isNew, registries } = list
        if (isNew && problems.size > 0) {
          const listed = new Set(registered.map(nameIn))
          for (const endpoint of problems.keys()) if (!listed.has(endpoint)) problems.delete(endpoint)
        }
        // With several registries, the outages of each are reported separately.
        for (const state of registries ?? [{ ...list, registry: null }])
          this.outage(
            `${name}${state.registry === null ? '' : ` ${visible(state.registry)}`}`,
            state,
            outages,
          )
      },
      connectivity: ({ registration }: RegisteredEndpoint, isReady) => {
        const endpoint = nameIn(registration)
        // Only an endpoint that had failed is reported. The first lines have counted the others.
        if (isReady && problems.delete(endpoint))
          this.line(`${this.palette.green('✓')} ${name} ${visible(endpoint)} READY`)
      },
      failed: ({ registration }, problem) => {
        const endpoint = nameIn(registration)
        if (problems.get(endpoint) === problem) return
        problems.set(endpoint, problem)
        this.line(`${this.palette.red('✗')} ${name} ${visible(endpoint)} not READY: ${visible(problem)}`)
      },
    }
  }

  private outage(
    name: string,
    { registry, revision, stale, cachedAgeMs }: ListState,
    outages: Map<string | null, string>,
  ): void {
    if (stale?.message === outages.get(registry)) return
    if (!stale) {
      outages.delete(registry)
      this.line(`${this.palette.green('✓')} ${name}: the registry answers again`)
      return
    }
    outages.set(registry, stale.message)
    const age = cachedAgeMs === null ? '' : ` from the cache, ${duration(cachedAgeMs)} old`
    const used = revision === 0 ? 'there is no list yet' : `using the last list${age}`
    this.line(`${this.palette.yellow('!')} ${name}: ${visible(stale.message)}; ${used}`)
  }
}

/** The list of the only registry, or of one of several. */
type ListState = Pick<RegistryState, 'revision' | 'stale' | 'cachedAgeMs'> & {
  readonly registry: string | null
}

/** The address of an endpoint, with the name of its registry if there are several. */
function nameIn({ addr, origin }: Pick<Endpoint, 'addr' | 'origin'>): string {
  return origin ? `${origin.registry} ${addr}` : addr
}
