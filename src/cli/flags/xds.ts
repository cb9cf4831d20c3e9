import { Flags } from '@oclif/core'
import type { Query } from '../../domain/discovery.js'
import { DiscoError } from '../../domain/errors.js'
import { parseSelector, type Selector } from '../../domain/selector.js'
import type { FullPlace } from '../config.js'
import { adminFlags } from './admin.js'
import { isAddress } from './arguments.js'
import { parsedBy, textFlag } from './custom.js'
import { listenerTlsFlags, listenFlag } from './listen.js'
import { readScope } from './target.js'

/** Flags of the control plane itself. */
export const xdsFlags = {
  listen: listenFlag({
    default: { host: '127.0.0.1', port: 18_000 },
    description: 'where to serve clients; without a host, on this machine only',
  }),
  canary: Flags.custom<Selector>({
    parse: parsedBy((text, flag) => parseSelector(text, flag, { empty: 'quoted' })),
  })({
    helpValue: 'NAME=VALUE,…',
    description: 'give all calls to these endpoints, and to the others only while none of these is READY',
  }),
  bootstrap: Flags.boolean({ description: "print a client's bootstrap file for --listen, and end" }),
  log: textFlag({
    helpValue: 'FILE',
    description: 'append a JSON line for each connect, ACK, NACK and disconnect; SIGHUP opens the file again',
  }),
  admin: listenFlag({
    helpGroup: 'ADMIN',
    description: 'serve GET /metrics, /endpoints, /clients, /healthz, /readyz and /livez here',
  }),
  'admin-token-file': adminFlags['admin-token-file'],
  ...listenerTlsFlags('clients'),
}

/** A service to serve, with the layout and root of its keys. */
export type ServedQuery = Query & FullPlace

/**
 * The services that a control plane serves. An empty list means all services.
 *
 * @param place returns the layout and root that flags and environment give
 * @throws DiscoError USAGE
 */
export async function planServices(
  targets: readonly string[],
  place: (defaultLayout: string) => FullPlace,
): Promise<readonly ServedQuery[]> {
  const planned = new Map<string, ServedQuery>()
  for (const target of targets) {
    const scope = await readScope({ command: 'xds', target, flags: {}, place })
    if (scope.filter.select.length > 0) {
      throw new DiscoError('USAGE', `"${target}" selects endpoints; whole services are served`, {
        suggestions: [
          'To change how many calls endpoints get: disco weight. To prefer some of them: --canary',
        ],
      })
    }
    const { service } = scope
    if (service === target && (isAddress(target) || target.includes('?'))) {
      throw new DiscoError('USAGE', `"${target}" is not the name of a service`, {
        suggestions: ['Whole services are served: disco ls lists their names'],
      })
    }
    if (planned.has(service)) throw new DiscoError('USAGE', `The service "${service}" is named twice`)
    planned.set(service, { service, ...scope.place })
  }
  return [...planned.values()]
}
