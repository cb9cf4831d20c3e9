import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { givenPems, type Pems } from './files.js'

/** The flags that name a client certificate and its key, for messages. */
export const CLIENT_CERTIFICATE_FLAGS = '--tls-cert and --tls-key'

interface ExpectedName {
  readonly servername: string
  readonly checkServerIdentity: typeof checkServerIdentity
}

/**
 * TLS options of a client.
 *
 * @param pems the CA and the client certificate; null for the system's CAs and no certificate
 * @param name the name or IP address that the server's certificate must contain
 */
export function clientTls(pems: Pems | null, name: string): ConnectionOptions {
  return { ...givenPems(pems ?? {}), ...expectName(name) }
}

/**
 * The options by which a client requires a name in the server's certificate. An IP address is only compared with the
 * certificate: SNI must not contain one (RFC 6066, section 3), so `servername` is then empty.
 */
export function expectName(name: string): ExpectedName {
  return {
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  }
}
