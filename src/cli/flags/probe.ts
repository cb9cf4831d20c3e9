import { Flags, type Interfaces } from '@oclif/core'
import { allOf, grpcProbe, httpProbe, type Probe, tcpProbe } from '../../agent/health/probes.js'
import type { HealthGating } from '../../agent/registrar/health-gating.js'
import { readAddress, withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { integerFlag, oneOf, readBy } from './custom.js'
import { waitFlag } from './duration.js'

/** A way to probe a server. An http URL such as `http://:8080/x` lacks the host of the registered address. */
type ProbeKind =
  | { readonly type: 'tcp' }
  | { readonly type: 'grpc'; readonly service: string }
  | { readonly type: 'http'; readonly url: string }

/** When a server counts as healthy. */
export const probeFlags = {
  probe: Flags.custom<ProbeKind>({
    parse: readBy(readProbe, 'grpc, grpc:SERVICE, tcp, http://HOST:PORT/PATH or http://:PORT/PATH'),
  })({
    helpGroup: 'HEALTH',
    helpValue: 'grpc[:SERVICE]|tcp|http://…',
    description: 'register only while this finds the server healthy',
  }),
  'probe-interval': waitFlag({
    helpGroup: 'HEALTH',
    default: 2_000,
    description: 'how often to ask',
  }),
  'probe-timeout': waitFlag({
    helpGroup: 'HEALTH',
    default: 1_000,
    description: 'how long an answer may take',
  }),
  rise: integerFlag({
    helpGroup: 'HEALTH',
    default: 1,
    min: 1,
    description: 'successes that make it healthy',
  }),
  fall: integerFlag({
    helpGroup: 'HEALTH',
    default: 3,
    min: 1,
    description: 'failures that make it unhealthy',
  }),
  'probe-start': waitFlag({
    helpGroup: 'HEALTH',
    description: 'give up, with exit code 5, when it is not healthy by then (default: never)',
  }),
  unhealthy: Flags.custom<'deregister' | 'weight0'>(oneOf(['deregister', 'weight0']))({
    helpGroup: 'HEALTH',
    default: 'deregister',
    description: 'what to do while it is unhealthy',
  }),
}

function readProbe(text: string): ProbeKind | undefined {
  if (text === 'tcp') return { type: 'tcp' }
  if (text === 'grpc' || text.startsWith('grpc:')) {
    return { type: 'grpc', service: text.slice('grpc:'.length) }
  }
  const whole = withHost(text, 'localhost')
  return /^https?:\/\/[^/]/.test(whole) && URL.canParse(whole) ? { type: 'http', url: text } : undefined
}

/** `http://:8080/x` with the host; any other URL as it is. */
function withHost(url: string, host: string): string {
  return url.replace(/^(https?:\/\/):/, `$1${host}:`)
}

export interface ProbePlan {
  readonly gating: HealthGating
  /** The awaited state, as a clause for people. */
  readonly what: string
}

/**
 * How to probe the addresses: by --probe; without it, once, whether the ports accept that a command of ours opens; null
 * where there is neither.
 *
 * @throws DiscoError USAGE
 */
export function planProbe(
  flags: Interfaces.InferredFlags<typeof probeFlags>,
  endpoints: readonly { readonly listens: string }[],
  { hasCommand }: { hasCommand: boolean },
): ProbePlan | null {
  const startMs = flags['probe-start'] ?? null
  if (flags.probe === undefined && !hasCommand) {
    if (startMs === null) return null
    throw new DiscoError('USAGE', '--probe-start needs a --probe, or a command to wait for')
  }
  const { rise, fall, 'probe-interval': intervalMs, 'probe-timeout': deadlineMs } = flags
  const addresses = endpoints.map(({ listens }) => listens)
  const { probe, what } = probeOf(flags.probe ?? { type: 'tcp' }, addresses)
  const isStartOnly = flags.probe === undefined
  return { gating: { probe, timing: { intervalMs, deadlineMs, rise, fall }, isStartOnly, startMs }, what }
}

function probeOf(kind: ProbeKind, addresses: readonly string[]): { probe: Probe; what: string } {
  const where = addresses.join(', ')
  switch (kind.type) {
    case 'tcp':
      return { probe: allOf(addresses.map(tcpProbe)), what: `${where} to accept connections` }
    case 'grpc': {
      const { service } = kind
      const what = `grpc.health${service === '' ? '' : ` of ${service}`} on ${where}`
      return { probe: allOf(addresses.map((addr) => grpcProbe(addr, service))), what }
    }
    case 'http': {
      const url = new URL(withHost(kind.url, hostOf(addresses[0])))
      return { probe: httpProbe(url), what: `${withoutSecrets(String(url))} to answer` }
    }
  }
}

/** The host of an address as a URL has it; localhost for a socket. */
function hostOf(addr = ''): string {
  const address = readAddress(addr)
  if ('problem' in address || address.kind !== 'tcp') return 'localhost'
  return address.host.includes(':') ? `[${address.host}]` : address.host
}
