import type { IncomingHttpHeaders } from 'node:http2'
import { DiscoError } from '../domain/errors.js'
import type { BalancedService } from './service.js'

/** How a call is routed: by its `:authority`, or by the gRPC service in its path, to these targets. */
export type RouteRule = 'authority' | ReadonlyMap<string, string>

/**
 * Maximum number of characters of a name in a message. A caller may send a name of many kilobytes. Percent-encoded, it
 * would not fit into the frame of the reply, and the caller would not receive its status.
 */
const MAX_NAME_LENGTH = 200

/** Finds the service of a call. */
export class Routes {
  private readonly byName: ReadonlyMap<string, BalancedService>
  private readonly nameOf: (headers: IncomingHttpHeaders) => string

  /**
   * @param byTarget the services by their targets, as the rule names them
   * @param rule null if there is one service, for all calls
   * @throws DiscoError USAGE for two services with the same authority
   */
  constructor(
    private readonly byTarget: ReadonlyMap<string, BalancedService>,
    private readonly rule: RouteRule | null,
  ) {
    this.byName = rule instanceof Map ? byPath(byTarget, rule) : byAuthority(byTarget)
    this.nameOf = rule === 'authority' ? authorityOf : grpcServiceOf
  }

  /** The service of a call. If no route matches, the reason, as details for UNIMPLEMENTED. */
  find(headers: IncomingHttpHeaders): BalancedService | string {
    const [only] = this.byTarget.values()
    if (this.rule === null && only) return only
    const name = this.nameOf(headers)
    const found = this.byName.get(name)
    if (found) return found
    const shown = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name
    const what = this.rule === 'authority' ? `authority "${shown}"` : `gRPC service "${shown}"`
    return `The proxy has no route for the ${what}. Available: ${[...this.byName.keys()].join(', ')}`
  }
}

function byPath(
  byTarget: ReadonlyMap<string, BalancedService>,
  rule: ReadonlyMap<string, string>,
): Map<string, BalancedService> {
  return new Map(
    [...rule].flatMap(([name, target]) => {
      const service = byTarget.get(target)
      return service ? [[name, service] as const] : []
    }),
  )
}

function byAuthority(byTarget: ReadonlyMap<string, BalancedService>): Map<string, BalancedService> {
  const services = new Map<string, BalancedService>()
  for (const service of byTarget.values()) {
    const { authority } = service.name
    if (services.has(authority)) {
      throw new DiscoError('USAGE', `Two targets have the authority "${authority}"`, {
        suggestions: ['Route by gRPC service: --route package.Service=TARGET'],
      })
    }
    services.set(authority, service)
  }
  return services
}

/** `hello` of `hello:443`: clients add the port that they dialled. */
function authorityOf({ ':authority': authority = '' }: IncomingHttpHeaders): string {
  return authority.replace(/:\d+$/, '')
}

/** `helloworld.Greeter` of `/helloworld.Greeter/SayHello`. */
function grpcServiceOf({ ':path': path = '' }: IncomingHttpHeaders): string {
  return path.split('/')[1] ?? ''
}
