import { Flags, type Interfaces } from '@oclif/core'
import { httpProbe } from '../../agent/health/http-probe.js'
import { allOf, grpcProbe, type Probe, tcpProbe } from '../../agent/health/probes.js'
import type { ServerAccess } from '../../agent/health/survey.js'
import type { HealthGating } from '../../agent/registrar/health-gating.js'
import { readAddress, withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { integerFlag, oneOf, type ParsedFlags, readBy, refuseIneffective } from './custom.js'
import { waitFlag } from './duration.js'
import { headerFlags, readHeaders } from './headers.js'
import type { EndpointPlan } from './register.js'
import { backendTls, tlsFiles, tlsFlags } from './tls.js'

/** A probe of a server. A URL without a host, such as `http://:8080/x`, is completed by the host of the address. */
type ProbeKind =
  | { readonly type: 'tcp' }
  | { readonly type: 'grpc'; readonly service: string }
  | { readonly type: 'http'; readonly url: string }

/** Flags that determine when a server is healthy. */
export const probeFlags = {
  probe: Flags.custom<ProbeKind>({
    parse: readBy(
      readProbe,
      'grpc, grpc:SERVICE, tcp, http://HOST:PORT/PATH or http://:PORT/PATH (or https), with a port up to 65535',
      withoutSecrets,
    ),
  })({
    helpGroup: 'HEALTH',
    helpValue: 'grpc[:SERVICE]|tcp|http://…|https://…',
    description: 'register only while this probe finds the server healthy',
  }),
  'probe-interval': waitFlag({
    helpGroup: 'HEALTH',
    default: 2_000,
    description: 'interval of the probes',
  }),
  'probe-timeout': waitFlag({
    helpGroup: 'HEALTH',
    default: 1_000,
    description: 'limit of each probe',
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
    description: 'give up, with exit code 5, if it is not healthy after this time (default: never)',
  }),
  unhealthy: Flags.custom(oneOf(['deregister', 'weight0']))({
    helpGroup: 'HEALTH',
    default: 'deregister',
    description: 'reaction to an unhealthy server',
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

/** Inserts the host into `http://:8080/x`. Returns a URL with a host unchanged. */
function withHost(url: string, host: string): string {
  return url.replace(/^(https?:\/\/):/, `$1${host}:`)
}

type ProbeFlags = Interfaces.InferredFlags<typeof probeFlags> & AccessFlags

export interface ProbePlan {
  readonly gating: HealthGating
  /** The state to wait for, as a clause for messages, such as `127.0.0.1:1001 to accept connections`. */
  readonly what: string
}

/**
 * The probe that --probe describes. A supervised command without --probe is probed until its ports accept connections,
 * and not after that. Null without --probe and without a command.
 *
 * @param hasCommand whether the command line has a command to supervise
 * @throws DiscoError USAGE
 */
export async function planProbe(
  flags: ProbeFlags,
  endpoints: readonly EndpointPlan[],
  { hasCommand }: { hasCommand: boolean },
): Promise<ProbePlan | null> {
  const startMs = flags['probe-start'] ?? null
  if (flags.probe === undefined && !hasCommand) {
    if (startMs === null) return null
    throw new DiscoError('USAGE', '--probe-start needs --probe or a command')
  }
  const { rise, fall, 'probe-interval': intervalMs, 'probe-timeout': deadlineMs } = flags
  const { probe, what } = await probeOf(flags.probe ?? { type: 'tcp' }, endpoints, flags)
  const isStartOnly = flags.probe === undefined
  return { gating: { probe, timing: { intervalMs, deadlineMs, rise, fall }, isStartOnly, startMs }, what }
}

async function probeOf(
  kind: ProbeKind,
  endpoints: readonly EndpointPlan[],
  flags: AccessFlags,
): Promise<{ probe: Probe; what: string }> {
  const addresses = endpoints.map(({ listens }) => listens)
  const where = addresses.join(', ')
  switch (kind.type) {
    case 'tcp':
      return { probe: allOf(addresses.map(tcpProbe)), what: `${where} to accept connections` }
    case 'grpc': {
      const { service } = kind
      const what = `grpc.health${service === '' ? '' : ` of ${service}`} on ${where}`
      const access = await accessOf(flags)
      const probes = endpoints.map(({ listens, registered }) =>
        grpcProbe(listens, { ...access, service, registeredFor: registered.service }),
      )
      return { probe: allOf(probes), what }
    }
    case 'http': {
      const url = new URL(withHost(kind.url, hostOf(addresses[0])))
      const probe = await httpProbe(url, {
        headers: await readHeaders(flags.header),
        authority: flags.authority,
        files: await tlsFiles(flags),
        tlsName: flags['tls-name'],
      })
      return { probe, what: `${withoutSecrets(String(url))} to answer` }
    }
  }
}

/** Refuses header and TLS flags that the probe does not use. @throws DiscoError USAGE */
export function refuseIneffectiveAccess(
  parsed: ParsedFlags & { readonly flags: Pick<ProbeFlags, 'probe'> },
): void {
  const { probe } = parsed.flags
  if (probe === undefined || probe.type === 'tcp') {
    const when = probe ? 'with --probe tcp' : 'without --probe'
    refuseIneffective(parsed, ACCESS_NAMES, when)
  } else if (probe.type === 'http' && !probe.url.startsWith('https:')) {
    refuseIneffective(parsed, Object.keys(tlsFlags), 'with --probe http://: https:// asks by TLS')
  }
}

/** The host of an address in the form that a URL needs: IPv6 in brackets, localhost for a socket. */
function hostOf(addr = ''): string {
  const address = readAddress(addr)
  if ('problem' in address || address.kind !== 'tcp') return 'localhost'
  return address.host.includes(':') ? `[${address.host}]` : address.host
}

/** The access to servers for health checks: the same flags as for calls. */
export const accessFlags = { ...headerFlags, ...tlsFlags }

export type AccessFlags = Interfaces.InferredFlags<typeof accessFlags>

/** The names of the flags that have no effect if no server is checked. */
export const ACCESS_NAMES = Object.keys(accessFlags)

/** @throws DiscoError USAGE for files that cannot be used, or an invalid header */
export async function accessOf(flags: AccessFlags): Promise<ServerAccess> {
  return {
    headers: await readHeaders(flags.header),
    authority: flags.authority,
    tls: await backendTls(flags),
  }
}
