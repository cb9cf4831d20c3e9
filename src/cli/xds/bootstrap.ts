import type { ListenAddress } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'

/** The file that a client reads by its variable GRPC_XDS_BOOTSTRAP. */
export interface Bootstrap {
  readonly xds_servers: readonly {
    readonly server_uri: string
    readonly channel_creds: readonly { readonly type: 'insecure' | 'tls' }[]
    readonly server_features: readonly string[]
  }[]
  /** `locality` is empty. It is present because grpc-js-xds rejects a node without it. */
  readonly node: { readonly id: string; readonly locality: Readonly<Record<string, never>> }
}

export interface BootstrapOptions {
  readonly listen: ListenAddress
  readonly isTls: boolean
  /** The name of this machine. */
  readonly hostname: string
}

/**
 * The bootstrap file for `--listen`. It is the same for all services.
 *
 * @param services the SERVICE arguments
 * @throws DiscoError USAGE if a service is given, or the port is 0
 */
export function bootstrapFor(services: readonly string[], options: BootstrapOptions): Bootstrap {
  if (services.length > 0) {
    throw new DiscoError('USAGE', `--bootstrap takes no service: "${services[0]}"`, {
      suggestions: [
        'The file is the same for all services: a client names its service by a target such as xds:///hello',
      ],
    })
  }
  if (options.listen.port === 0) {
    throw new DiscoError('USAGE', '--bootstrap needs the port at which clients will reach the control plane')
  }
  return bootstrapOf(options)
}

/** A control plane that listens at all addresses is reached by the name of the machine. */
function bootstrapOf({ listen: { host, port }, isTls, hostname }: BootstrapOptions): Bootstrap {
  const isAny = host === '0.0.0.0' || host === '::' || host === ''
  const name = isAny ? hostname : host.includes(':') ? `[${host}]` : host
  return {
    xds_servers: [
      {
        server_uri: `${name}:${port}`,
        channel_creds: [{ type: isTls ? 'tls' : 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
    node: { id: hostname, locality: {} },
  }
}
