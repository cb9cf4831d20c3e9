import { readAddress } from '../domain/address.js'
import { DiscoError } from '../domain/errors.js'
import type { FileSource, NamedFile } from '../domain/file-source.js'

/**
 * Connection to etcd. Files are read when the client is created, and again when etcd refuses a login or a TLS
 * handshake: passwords and certificates change. Messages never contain a password.
 */
export interface EtcdOptions {
  /** `host:port`, `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[]
  /** The origin of the endpoints, for error messages: a flag, a variable, the default. */
  readonly endpointsSource: string
  readonly caFile?: FileSource | undefined
  readonly certFile?: FileSource | undefined
  readonly keyFile?: FileSource | undefined
  readonly user?: string | undefined
  /** Fixed for the life of the client; exclusive with `passwordFile`. */
  readonly password?: string | undefined
  /** The file with the password of `user`. */
  readonly passwordFile?: string | NamedFile | undefined
  /** The limit of one request to etcd, including its tries. */
  readonly commandTimeoutMs: number
  /** The limit of one try while another member is available. */
  readonly dialTimeoutMs: number
}

/** An @, or %40 outside of the brackets of an IPv6 address: within them, % begins a zone. */
const USER = /@|^[^[]*%40/

const FORMS = 'Expected host:port, http://host:port or https://host:port, several separated by commas'

/**
 * The URL of each member. An endpoint that contains a user is refused, and the message does not show it: the part
 * before the @ may be a password, and a password may contain the comma at which endpoints were split.
 *
 * @throws DiscoError USAGE for an invalid endpoint. etcd3 would accept it and fail later with an unrelated message
 */
export function memberUrls(
  { endpoints, endpointsSource }: Pick<EtcdOptions, 'endpoints' | 'endpointsSource'>,
  wantsTls: boolean,
): string[] {
  if (endpoints.some((endpoint) => USER.test(endpoint))) {
    throw new DiscoError('USAGE', `An etcd endpoint from ${endpointsSource} contains a user or a password`, {
      suggestions: [
        'Expected host:port alone; the user by --user NAME, the password by --password-file FILE or ETCDCTL_PASSWORD',
      ],
    })
  }
  if (endpoints.length === 0) {
    throw new DiscoError('USAGE', `No etcd endpoint is named by ${endpointsSource}`, { suggestions: [FORMS] })
  }
  const isOnly = endpoints.length === 1
  return endpoints.map((endpoint, at) => {
    const which = isOnly ? '' : `${at + 1} of ${endpoints.length} `
    const isShown = isOnly && HOST_ALONE.test(endpoint.trim())
    return memberUrl(
      endpoint,
      isShown ? `"${endpoint}" from ${endpointsSource}` : `${which}from ${endpointsSource}`,
      wantsTls,
    )
  })
}

/** A host without a port, the usual mistake; any other part of an invalid endpoint may be a secret. */
const HOST_ALONE = /^(?:https?:\/\/)?[A-Za-z0-9.-]+\/?$/

/** @param name names the endpoint in messages, without its text if that may be a secret */
function memberUrl(endpoint: string, name: string, wantsTls: boolean): string {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*)$/s.exec(endpoint.trim()) ?? []
  const hostAndPort = rest.replace(/\/$/, '')
  const problem = problemOf(hostAndPort)
  if (problem !== null) {
    throw new DiscoError('USAGE', `etcd endpoint ${name} ${problem}`, { suggestions: [FORMS] })
  }
  if (scheme === 'http' && wantsTls) {
    throw new DiscoError(
      'USAGE',
      `etcd endpoint ${name} is plain http, but a CA or a client certificate was given`,
      { suggestions: [FORMS] },
    )
  }
  return `${scheme ?? (wantsTls ? 'https' : 'http')}://${hostAndPort}`
}

/** Why a text is not `host:port`, as a clause that does not quote it; null if it is. */
function problemOf(hostAndPort: string): string | null {
  const address = readAddress(hostAndPort)
  if (!('problem' in address)) return address.kind === 'unix' || address.host === '' ? 'has no host' : null
  if (hostAndPort.includes('://')) return 'has a scheme other than http and https'
  if (/[/?#]/.test(hostAndPort)) return 'has a path, a query or a fragment'
  if (!/:/.test(hostAndPort.replace(/^\[.*\]/, ''))) return hostAndPort === '' ? 'has no host' : 'has no port'
  if (/^[\da-f]*:[\da-f:.]*:\d*$/i.test(hostAndPort)) return 'is an IPv6 address without brackets'
  return 'has no valid host and port'
}
