import type { DiscoError } from '../../domain/errors.js'
import type { RegisteredEndpoint } from '../../grpc/resolver/endpoint.js'
import type { ResolvedList } from '../../grpc/resolver/live-list.js'
import type { Observer } from '../../grpc/resolver/observer.js'
import type { Palette } from '../terminal/color.js'
import { count, duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { ProxyDoc } from './document.js'

/** Lines of a proxy about its start, its endpoints and the registry. */
export class ProxyView {
  constructor(
    private readonly palette: Palette,
    private readonly line: (text: string) => void,
  ) {}

  started({ listen, policy, services }: ProxyDoc): void {
    this.line(`${this.palette.green('✓')} proxy on ${listen}, policy ${policy}`)
    for (const { target, endpoints, ready } of services) {
      const size = endpoints === null ? 'no list yet' : `${count(endpoints, 'endpoint')}, ${ready} READY`
      this.line(`  ${visible(target)}: ${size}`)
    }
    this.line('  Ctrl-C: finish the calls, end. Twice: now.')
  }

  /** @param address of the admin handler */
  admin(address: string): void {
    this.line(`→ admin handler on http://${address}`)
  }

  renewed(): void {
    this.line(`${this.palette.green('✓')} SIGHUP: certificates and log files are read and opened again`)
  }

  problem(sentence: string): void {
    this.line(`${this.palette.red('✗')} ${visible(sentence)}`)
  }

  draining(calls: number, drainMs: number): void {
    this.line(`→ no new calls; ${count(calls, 'call')} may finish within ${duration(drainMs)}`)
  }

  /** The state of one service for the output. */
  observer(target: string): Observer {
    const name = visible(target)
    const problems = new Map<string, string>()
    let outage: DiscoError | null = null
    return {
      resolved: ({ revision, registered, isNew, stale, cachedAgeMs }: ResolvedList) => {
        if (isNew && problems.size > 0) {
          const listed = new Set(registered.map(({ addr }) => addr))
          for (const addr of problems.keys()) if (!listed.has(addr)) problems.delete(addr)
        }
        if (stale?.message === outage?.message) return
        outage = stale
        if (!stale) this.line(`${this.palette.green('✓')} ${name}: the registry answers again`)
        else {
          const age = cachedAgeMs === null ? '' : ` from the cache, ${duration(cachedAgeMs)} old`
          const used = revision === 0 ? 'there is no list yet' : `using the last list${age}`
          this.line(`${this.palette.yellow('!')} ${name}: ${visible(stale.message)}; ${used}`)
        }
      },
      connectivity: ({ registration: { addr } }: RegisteredEndpoint, isReady) => {
        // An endpoint that never failed is in the counts of the first lines.
        if (isReady && problems.delete(addr))
          this.line(`${this.palette.green('✓')} ${name} ${visible(addr)} READY`)
      },
      failed: ({ registration: { addr } }, problem) => {
        if (problems.get(addr) === problem) return
        problems.set(addr, problem)
        this.line(`${this.palette.red('✗')} ${name} ${visible(addr)} not READY: ${visible(problem)}`)
      },
    }
  }
}
