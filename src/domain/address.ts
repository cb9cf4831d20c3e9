import { DiscoError } from './errors.js'

/** An address to listen at. */
export interface ListenAddress {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

/** The scheme of a URL, such as `http://`. Users copy URLs from browsers and from the output of servers. */
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i

/** Where an endpoint listens: a TCP host and port, or a Unix domain socket. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/**
 * An IPv6 address with an optional zone. Only characters are checked here, since URL ignores newlines and tabs. URL
 * checks the grammar of the address.
 */
const IPV6 = /^([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9_.~-]+)?$/

const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/

/**
 * Reads `host:port`, `[ipv6]:port`, `:port` (host is then empty) or `unix:/path`.
 *
 * @returns the address, or the reason why the text is invalid: a clause that follows the text, such as `has no port`
 */
export function readAddress(text: string): Address | { readonly problem: string } {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length)
    return path === '' || path.includes('\0') ? { problem: 'has no socket path' } : { kind: 'unix', path }
  }
  if (text.includes('@') && !text.startsWith('['))
    return { problem: 'has a user in it; an address is a host and a port' }
  if (SCHEME.test(text)) return { problem: 'is a URL; an address has no scheme' }
  const colon = text.lastIndexOf(':')
  const isBareIpv6 = !text.startsWith('[') && text.indexOf(':') !== colon
  if (isBareIpv6) return { problem: 'is an IPv6 address without brackets' }
  if (colon < 0 || text.endsWith(']')) return { problem: 'has no port' }
  const portText = text.slice(colon + 1)
  if (!/^\d{1,5}$/.test(portText)) return { problem: `has no valid port ("${withoutSecrets(portText)}")` }
  const port = Number(portText)
  if (port < 1 || port > 65535) return { problem: `has port ${port}, outside 1-65535` }
  const host = text.slice(0, colon)
  if (host.startsWith('[')) {
    const ip = host.slice(1, -1)
    const [, unzoned = ''] = IPV6.exec(ip) ?? []
    const valid = host.endsWith(']') && URL.canParse(`http://[${unzoned}]`)
    return valid ? { kind: 'tcp', host: ip, port } : { problem: `has no valid IPv6 address in "${host}"` }
  }
  if (host !== '' && !HOST_NAME.test(host)) return { problem: `has no valid host ("${host}")` }
  return { kind: 'tcp', host, port }
}

/**
 * The text for a message, with `…` in place of parts that may be secret: user info before an @ (or %40), query and
 * fragment.
 */
export function withoutSecrets(text: string): string {
  return text.replace(/^((?:[a-z][a-z0-9+.-]*:\/\/)?).*(?:@|%40)/is, '$1…@').replace(/([?#]).*$/s, '$1…')
}

/** The suggestion to write only the address in a URL; an empty list if the text is not a URL with a valid address. */
export function addressInUrl(text: string): string[] {
  const bare = text.replace(SCHEME, '').replace(/[/?#].*$/s, '')
  return SCHEME.test(text) && !('problem' in readAddress(bare)) ? [`Write ${bare}`] : []
}

/** @throws DiscoError USAGE, which suggests the accepted forms and `example` */
export function parseAddress(text: string, example: string): Address {
  const address = readAddress(text)
  if (!('problem' in address)) return address
  throw new DiscoError('USAGE', `"${withoutSecrets(text)}" ${address.problem}`, {
    suggestions: [
      ...addressInUrl(text),
      `Expected host:port, [ipv6]:port, :port or unix:/path. Example: ${example}`,
    ],
  })
}

export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return hostPort(address)
}

/** `host:port`; an IPv6 address is put in brackets. */
export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The etcd endpoints in a list separated by commas, without empty items. */
export function splitEndpoints(text: string): string[] {
  return text.split(',').filter((endpoint) => endpoint.trim() !== '')
}

/** Whether a text contains a URL with a user, and thus perhaps a password. */
export function hasUserInfo(text: string): boolean {
  return /:\/\/[^/]*(@|%40)/i.test(text)
}

/** Whether a host is a loopback address, which clients can dial only from the same machine. */
export function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)
}
