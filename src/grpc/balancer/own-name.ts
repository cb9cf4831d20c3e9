import { hostname, networkInterfaces } from 'node:os'

/** How this client is told from others: its first address that is not loopback, or its host's name. */
export function ownName(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  return addresses.find(({ internal }) => !internal)?.address ?? hostname()
}
