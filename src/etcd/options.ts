import { readAddress } from '../domain/address.js'
import { DiscoError } from '../domain/errors.js'

/**
 * How to reach etcd. Files are read when the client is made, and again when etcd refuses a login or a TLS
 * handshake: passwords and certificates change. A password is never part of a message.
 */
export interface EtcdOptions {
  /** `host:port`, `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[]
  /** Where the endpoints were said, for error messages: a flag, a variable, the default. */
  readonly endpointsSource: string
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly user?: string | undefined
  /** Fixed for the life of the client; with `passwordFile`, not used. */
  readonly password?: string | undefined
  /** File that holds the password of `user`. */
  readonly passwordFile?: string | undefined
  /** The most that one request to etcd may take, tries included. */
  readonly commandTimeoutMs: number
  /** The most that one try may take while another member could be asked. */
  readonly dialTimeoutMs: number
}

const FORMS = 'Want host:port, http://host:port or https://host:port, several separated by commas'

/**
 * The URL of each member. An endpoint with a user in it is refused without being shown: what stands before an @ may be
 * a password, and a password may contain the comma at which endpoints were split.
 *
 * @throws DiscoError USAGE: etcd3 itself takes bad endpoints and fails later in other words
 */
export function memberUrls(
  { endpoints, endpointsSource }: Pick<EtcdOptions, 'endpoints' | 'endpointsSource'>,
  wantsTls: boolean,
): string[] {
  if (endpoints.some((endpoint) => endpoint.includes('@'))) {
    throw new DiscoError('USAGE', `An etcd endpoint from ${endpointsSource} contains a user or a password`, {
      suggestions: [
        'Want host:port alone; the user by --user NAME, the password by --password-file FILE or ETCDCTL_PASSWORD',
      ],
    })
  }
  if (endpoints.length === 0) {
    throw new DiscoError('USAGE', `No etcd endpoint is named by ${endpointsSource}`, { suggestions: [FORMS] })
  }
  return endpoints.map((endpoint) => memberUrl(endpoint, wantsTls))
}

function memberUrl(endpoint: string, wantsTls: boolean): string {
  const match = /^(?:(https?):\/\/)?([^/]*)\/?$/.exec(endpoint.trim())
  const [, scheme, hostAndPort = ''] = match ?? []
  const address = match && hostAndPort ? readAddress(hostAndPort) : { problem: 'is no etcd endpoint' }
  const problem =
    'problem' in address
      ? address.problem
      : address.kind === 'unix' || address.host === ''
        ? 'has no host'
        : scheme === 'http' && wantsTls
          ? 'is plain http, but a CA or a client certificate was given'
          : null
  if (problem !== null) {
    throw new DiscoError('USAGE', `etcd endpoint "${endpoint}" ${problem}`, {
      suggestions: [FORMS],
    })
  }
  return `${scheme ?? (wantsTls ? 'https' : 'http')}://${hostAndPort}`
}
