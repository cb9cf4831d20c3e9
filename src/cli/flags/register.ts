import { randomUUID } from 'node:crypto'
import { Flags } from '@oclif/core'
import { formatAddress, parseAddress, readAddress, withoutSecrets } from '../../domain/address.js'
import type { EndpointRecord } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Layout } from '../../domain/layouts/index.js'
import { parseWeight } from '../../domain/weight.js'
import { completeAddress } from '../../registry/complete-address.js'
import { versionFlag } from './base.js'

/** What is written into the registry. */
export const registeredFlags = {
  weight: Flags.string({
    helpValue: '<weight>',
    description: "weight of the endpoint; 1, or what the layout's own writers give",
  }),
  version: versionFlag,
  id: Flags.string({
    helpValue: '<id>',
    description: 'id by which clients can pin the endpoint, where its layout has one',
  }),
  meta: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'KEY=VALUE',
    description: 'metadata; may be repeated',
  }),
  advertise: Flags.string({
    helpValue: 'HOST[:PORT]',
    description: 'register this host instead of the one listened at (behind NAT, in a container)',
  }),
}

interface RegisteredFlags {
  readonly weight?: string | undefined
  readonly version?: string | undefined
  readonly id?: string | undefined
  readonly meta?: readonly string[] | undefined
  readonly advertise?: string | undefined
}

/** An endpoint: where the server listens, and what the registry is told. */
export interface EndpointPlan {
  readonly listens: string
  readonly registered: EndpointRecord
}

/** One endpoint for each address. @throws DiscoError USAGE */
export async function planEndpoints(
  service: string,
  addresses: readonly string[],
  flags: RegisteredFlags,
  layout: Layout,
): Promise<EndpointPlan[]> {
  const weight = flags.weight === undefined ? layout.firstWeight : parseWeight(flags.weight)
  const metadata = parseMetadata(flags.meta ?? [])
  const example = `disco register ${service} 1.2.3.4:1001`
  const plans: EndpointPlan[] = []
  for (const text of addresses) {
    const listens = await completeAddress(text, example)
    const addr =
      flags.advertise === undefined ? listens : advertised(listens, flags.advertise, addresses.length)
    const id = flags.id ?? (layout.id === 'made' ? randomUUID() : undefined)
    const registered = {
      ...{ service, addr, version: flags.version ?? '', weight, metadata },
      ...(id === undefined ? {} : { id }),
    }
    if (plans.some((other) => other.registered.addr === addr)) {
      throw new DiscoError('USAGE', `${addr} is given more than once`)
    }
    plans.push({ listens, registered })
  }
  return plans
}

function advertised(listens: string, advertise: string, addresses: number): string {
  const address = parseAddress(listens, '')
  if (address.kind === 'unix')
    throw new DiscoError('USAGE', `${listens} has no host to advertise another for`)
  const isBareIpv6 = advertise.includes(':') && !advertise.startsWith('[')
  const asHost = readAddress(`${isBareIpv6 ? `[${advertise}]` : advertise}:${address.port}`)
  if (!('problem' in asHost) && advertise !== '') return formatAddress(asHost)
  const whole = readAddress(advertise)
  const isWhole = !('problem' in whole) && whole.kind === 'tcp' && whole.host !== ''
  if (isWhole && addresses === 1) return formatAddress(whole)
  const why = isWhole ? 'names one port for several addresses' : 'is no host'
  throw new DiscoError('USAGE', `--advertise "${withoutSecrets(advertise)}" ${why}`, {
    suggestions: ['Want a host name or an IP address, such as --advertise 203.0.113.9'],
  })
}

function parseMetadata(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const
    throw new DiscoError('USAGE', `"${pair}" is no metadata`, {
      suggestions: ['Want KEY=VALUE: --meta zone=a'],
    })
  })
  const names = entries.map(([name]) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new DiscoError('USAGE', `--meta ${twice} is given more than once`)
  return Object.fromEntries(entries)
}
