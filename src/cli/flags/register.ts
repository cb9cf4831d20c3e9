import { randomUUID } from 'node:crypto'
import { Flags, type Interfaces } from '@oclif/core'
import { formatAddress, parseAddress, readAddress, withoutSecrets } from '../../domain/address.js'
import type { EndpointRecord } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Layout } from '../../domain/layouts/index.js'
import { completeAddress } from '../../registry/complete-address.js'
import { versionFlag } from './base.js'
import { readBy } from './custom.js'
import { weightFlag } from './weight.js'

/** Flags for the content of a registration. */
export const registeredFlags = {
  weight: weightFlag({
    description: "weight of the endpoint; 1, or what the layout's own writers give",
  }),
  version: versionFlag,
  id: Flags.string({
    helpValue: '<id>',
    description: 'id by which clients can pin the endpoint, where its layout has one',
  }),
  meta: Flags.custom<Metadatum>({ parse: readBy(readMetadatum, 'KEY=VALUE with a KEY') })({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'KEY=VALUE',
    description: 'metadata; may be repeated',
  }),
  advertise: Flags.custom<AdvertisedAddress>({
    parse: readBy(
      readAdvertised,
      'a host name or an IP address, with or without a port up to 65535, such as 203.0.113.9',
      withoutSecrets,
    ),
  })({
    helpValue: 'HOST[:PORT]',
    description: 'register this host instead of the one listened at (behind NAT, in a container)',
  }),
}

type Metadatum = readonly [key: string, value: string]

export interface AdvertisedAddress {
  readonly host: string
  /** Null to register the port that the server listens at. */
  readonly port: number | null
}

/** An endpoint to register. */
export interface EndpointPlan {
  /** The address that its server listens at. */
  readonly listens: string
  readonly registered: EndpointRecord
}

/** One endpoint for each address. @throws DiscoError USAGE */
export async function planEndpoints(
  service: string,
  addresses: readonly string[],
  flags: Interfaces.InferredFlags<typeof registeredFlags>,
  layout: Layout,
): Promise<EndpointPlan[]> {
  const weight = flags.weight ?? layout.firstWeight
  const metadata = metadataOf(flags.meta ?? [])
  const example = `disco register ${service} 1.2.3.4:1001`
  const plans: EndpointPlan[] = []
  for (const text of addresses) {
    const listens = await completeAddress(text, example)
    const addr =
      flags.advertise === undefined ? listens : advertised(listens, flags.advertise, addresses.length)
    const id = flags.id ?? (layout.id === 'made' ? randomUUID() : undefined)
    const registered = {
      service,
      addr,
      version: flags.version ?? '',
      weight,
      metadata,
      ...(id === undefined ? {} : { id }),
    }
    if (plans.some((other) => other.registered.addr === addr)) {
      throw new DiscoError('USAGE', `${addr} is given more than once`)
    }
    plans.push({ listens, registered })
  }
  return plans
}

function advertised(listens: string, { host, port }: AdvertisedAddress, addresses: number): string {
  const address = parseAddress(listens, '')
  if (address.kind === 'unix') {
    throw new DiscoError('USAGE', `--advertise has no effect on ${listens}, which has no host`)
  }
  if (port !== null && addresses > 1) {
    throw new DiscoError('USAGE', `--advertise names one port, ${port}, for ${addresses} addresses`, {
      suggestions: [`Give the host alone: --advertise ${host}`],
    })
  }
  return formatAddress({ kind: 'tcp', host, port: port ?? address.port })
}

/** Reads `HOST` or `HOST:PORT`; an IPv6 address without a port may lack its brackets. */
function readAdvertised(text: string): AdvertisedAddress | undefined {
  const isBareIpv6 = text.includes(':') && !text.startsWith('[')
  const asHost = tcpAddress(`${isBareIpv6 ? `[${text}]` : text}:1`)
  if (asHost) return { host: asHost.host, port: null }
  const whole = tcpAddress(text)
  return whole && { host: whole.host, port: whole.port }
}

function tcpAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const address = readAddress(text)
  return 'problem' in address || address.kind !== 'tcp' || address.host === '' ? undefined : address
}

function readMetadatum(text: string): Metadatum | undefined {
  const at = text.indexOf('=')
  return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : undefined
}

/** @throws DiscoError USAGE for a key that is given twice */
function metadataOf(pairs: readonly Metadatum[]): Record<string, string> {
  const keys = pairs.map(([key]) => key)
  const twice = keys.find((key, at) => keys.indexOf(key) !== at)
  if (twice !== undefined) throw new DiscoError('USAGE', `--meta ${twice} is given more than once`)
  return Object.fromEntries(pairs)
}
