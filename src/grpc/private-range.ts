import { BlockList, isIP } from 'node:net'
import { readAddress } from '../domain/address.js'

const PRIVATE = new BlockList()
for (const [network, bits] of [
  ['127.0.0.0', 8],
  // RFC 1918 (private), RFC 6598 (shared, used by cloud networks) and RFC 3927 (link-local)
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4')
}
// RFC 4291 (loopback, link-local) and RFC 4193 (unique local)
PRIVATE.addAddress('::1', 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')

/**
 * Names that public DNS does not resolve: names without a dot, the domains reserved by RFC 6761, 6762, 8375 and by
 * ICANN (`internal`), and Kubernetes services (`svc`).
 */
const PRIVATE_NAME = /^[^.]+$|\.(localhost|local|internal|svc|test|home\.arpa)$/

/**
 * Whether an address is on this machine or in a private network. Names are not resolved. An address that cannot be
 * parsed counts as private.
 */
export function isPrivate(addr: string): boolean {
  const address = readAddress(addr)
  if ('problem' in address || address.kind === 'unix') return true
  const host = address.host.replace(/%.*$/, '')
  const version = isIP(host)
  if (version === 0) return host === '' || PRIVATE_NAME.test(host.toLowerCase())
  return PRIVATE.check(host, version === 4 ? 'ipv4' : 'ipv6')
}
