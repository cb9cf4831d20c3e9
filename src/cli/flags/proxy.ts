import { Flags, type Interfaces } from '@oclif/core'
import { DiscoError, invalidValue } from '../../domain/errors.js'
import { parseTarget, SCHEME, splitTarget } from '../../grpc/resolver/target.js'
import { MAX_KEPT_OF_CALLER } from '../../proxy/request-body.js'
import type { RouteRule } from '../../proxy/routes.js'
import type { FullPlace } from '../config.js'
import { adminFlags } from './admin.js'
import { parsedBy, textFlag } from './custom.js'
import { waitFlag } from './duration.js'
import { listenerTlsFlags, listenFlag } from './listen.js'
import { sizeFlag } from './size.js'
import { placeOfUri } from './target.js'

/** One route: `authority`, or a gRPC service and its target. */
type RouteEntry = 'authority' | { readonly grpcService: string; readonly target: string }

/** Flags of the proxy itself. */
export const proxyFlags = {
  listen: listenFlag({
    default: { host: '127.0.0.1', port: 9000 },
    description: 'where to take calls; without a host, from this machine only',
  }),
  route: Flags.custom<RouteEntry>({ parse: parsedBy(readRoute) })({
    multiple: true,
    helpValue: 'authority|NAME=TARGET',
    description:
      'how the target of a call is found: by authority, or by gRPC service (NAME is package.Service)',
  }),
  wait: waitFlag({
    allowsZero: true,
    description: 'how long a call waits where no endpoint is READY, instead of failing with UNAVAILABLE',
  }),
  'replay-bytes': sizeFlag({
    default: 256 * 2 ** 10,
    min: 0,
    max: MAX_KEPT_OF_CALLER,
    description: 'the longest request that is kept to be sent again; 0 keeps none',
  }),
  drain: waitFlag({
    allowsZero: true,
    default: 10_000,
    description: 'how long calls may take to finish when the proxy ends',
  }),
  'max-connection-age': waitFlag({
    description: "the age at which a caller's connection is ended by GOAWAY, up to a tenth more or less",
  }),
  'access-log': textFlag({
    helpValue: 'FILE',
    description: 'append a JSON line for each call; SIGHUP opens the file again',
  }),
  admin: listenFlag({
    helpGroup: 'ADMIN',
    description: 'serve GET /metrics, /endpoints, /healthz, /readyz and /livez here',
  }),
  'admin-token-file': adminFlags['admin-token-file'],
  ...listenerTlsFlags('callers'),
}

type RouteFlag = Pick<Interfaces.InferredFlags<typeof proxyFlags>, 'route'>

export interface RoutePlan {
  readonly targets: readonly [string, ...string[]]
  /** Null if one target takes all calls. */
  readonly rule: RouteRule | null
}

/**
 * The targets of a proxy, and the rule that assigns each call to one of them.
 *
 * @param place returns the layout and root that flags and environment give
 * @throws DiscoError USAGE
 */
export function planRoutes(
  arguments_: readonly string[],
  { route = [] }: RouteFlag,
  place: (defaultLayout: string) => FullPlace,
): RoutePlan {
  const named = arguments_.map((target) => proxiedTarget(target, place))
  const paths = new Map<string, string>()
  for (const entry of route) {
    if (entry === 'authority') continue
    if (paths.has(entry.grpcService)) {
      throw new DiscoError('USAGE', `Two routes for the gRPC service "${entry.grpcService}"`)
    }
    paths.set(entry.grpcService, proxiedTarget(entry.target, place))
  }
  const byAuthority = route.includes('authority')
  if (byAuthority && paths.size > 0) {
    throw new DiscoError('USAGE', '--route authority does not go with --route package.Service=TARGET')
  }
  const reached = new Set(paths.values())
  const [first, ...more] = new Set([...named, ...reached])
  if (first === undefined) throw new DiscoError('USAGE', 'Missing argument: a service, or a target')
  const unreached = named.find((target) => reached.size > 0 && !reached.has(target))
  if (unreached !== undefined) {
    throw new DiscoError('USAGE', `No --route leads to the target "${unreached}"`, {
      suggestions: [`Add --route package.Service=${unreached}`],
    })
  }
  const rule = paths.size > 0 ? paths : byAuthority || more.length > 0 ? 'authority' : null
  return { targets: [first, ...more], rule }
}

/**
 * A target in the form that the proxy takes. A bare name reads all layouts. A URI without a layout gets the layout that
 * a program with the same URI reads.
 *
 * @param place returns the layout and root that flags and environment give
 * @throws DiscoError USAGE
 */
function proxiedTarget(text: string, place: (defaultLayout: string) => FullPlace): string {
  const { scheme, authority, path } = splitTarget(text)
  if (scheme !== SCHEME || !text.startsWith(`${SCHEME}:`)) return text
  const uri = parseTarget({ authority, path })
  if (uri.place.layout !== undefined) return text
  const { layout } = placeOfUri(uri, place)
  return `${text}${text.includes('?') ? '&' : '?'}layout=${encodeURIComponent(layout)}`
}

function readRoute(text: string, flag: string): RouteEntry {
  if (text === 'authority') return text
  const [, grpcService, target] = /^\/?([A-Za-z_][\w.]*)=(.+)$/.exec(text) ?? []
  if (grpcService !== undefined && target !== undefined) {
    requireTarget(target, flag)
    return { grpcService, target }
  }
  throw invalidValue(flag, text, 'authority, or a route such as helloworld.Greeter=hello')
}

/** @throws DiscoError USAGE for an invalid URI */
function requireTarget(text: string, flag: string): void {
  try {
    const { scheme, authority, path } = splitTarget(text)
    if (scheme === SCHEME && text.startsWith(`${SCHEME}:`)) parseTarget({ authority, path })
  } catch (thrown) {
    const { code, message, suggestions } = DiscoError.from(thrown)
    throw new DiscoError(code, `${message}, from ${flag}`, { suggestions, cause: thrown })
  }
}
