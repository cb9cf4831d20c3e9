import { Flags } from '@oclif/core'
import { allOf, grpcProbe, httpProbe, type Probe, tcpProbe } from '../../agent/health/probes.js'
import type { HealthGating } from '../../agent/registrar/health-gating.js'
import { readAddress, withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { integerFlag, oneOf } from './custom.js'
import { parseTimeMs } from './duration.js'

/** When a server is taken for healthy. */
export const probeFlags = {
  probe: Flags.string({
    helpGroup: 'HEALTH',
    helpValue: 'grpc[:SERVICE]|tcp|http://…',
    description: 'register only while this finds the server healthy',
  }),
  'probe-interval': Flags.string({
    helpGroup: 'HEALTH',
    default: '2s',
    helpValue: '<duration>',
    description: 'how often to ask',
  }),
  'probe-timeout': Flags.string({
    helpGroup: 'HEALTH',
    default: '1s',
    helpValue: '<duration>',
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
  'probe-start': Flags.string({
    helpGroup: 'HEALTH',
    helpValue: '<duration>',
    description: 'give up, with exit code 5, when it is not healthy by then (default: never)',
  }),
  unhealthy: Flags.custom<'deregister' | 'weight0'>(oneOf(['deregister', 'weight0']))({
    helpGroup: 'HEALTH',
    default: 'deregister',
    description: 'what to do while it is unhealthy',
  }),
}

interface ProbeFlags {
  readonly probe?: string | undefined
  readonly 'probe-interval': string
  readonly 'probe-timeout': string
  readonly rise: number
  readonly fall: number
  readonly 'probe-start'?: string | undefined
}

export interface ProbePlan {
  readonly gating: HealthGating
  /** What is waited for, as a clause for people. */
  readonly what: string
}

/**
 * How the addresses are asked: as told, or whether their ports accept, once, where a command of ours is to
 * open them; null where nothing is asked.
 *
 * @throws DiscoError USAGE
 */
export function planProbe(
  flags: ProbeFlags,
  endpoints: readonly { readonly listens: string }[],
  { hasCommand }: { hasCommand: boolean },
): ProbePlan | null {
  const timing = {
    intervalMs: parseTimeMs(flags['probe-interval']),
    deadlineMs: parseTimeMs(flags['probe-timeout']),
    ...{ rise: flags.rise, fall: flags.fall },
  }
  const startMs = flags['probe-start'] === undefined ? null : parseTimeMs(flags['probe-start'])
  if (flags.probe === undefined && !hasCommand) {
    if (startMs === null) return null
    throw new DiscoError('USAGE', '--probe-start needs a --probe, or a command to wait for')
  }
  const isStartOnly = flags.probe === undefined
  const addresses = endpoints.map(({ listens }) => listens)
  const { probe, what } = probeOf(flags.probe ?? 'tcp', addresses)
  return { gating: { probe, timing, isStartOnly, startMs }, what }
}

function probeOf(text: string, addresses: readonly string[]): { probe: Probe; what: string } {
  const where = addresses.join(', ')
  if (text === 'tcp') return { probe: allOf(addresses.map(tcpProbe)), what: `${where} to accept connections` }
  if (text === 'grpc' || text.startsWith('grpc:')) {
    const service = text.slice('grpc:'.length)
    const what = `grpc.health${service === '' ? '' : ` of ${service}`} on ${where}`
    return { probe: allOf(addresses.map((addr) => grpcProbe(addr, service))), what }
  }
  const url = urlOf(text, addresses)
  if (url) return { probe: httpProbe(url), what: `${withoutSecrets(String(url))} to answer` }
  throw new DiscoError('USAGE', `"${withoutSecrets(text)}" is not a probe`, {
    suggestions: ['Want grpc, grpc:SERVICE, tcp, http://HOST:PORT/PATH or http://:PORT/PATH'],
  })
}

/** `http://:8080/x` is on the host of the first address. */
function urlOf(text: string, [first = '']: readonly string[]): URL | null {
  const address = readAddress(first)
  const isTcp = !('problem' in address) && address.kind === 'tcp'
  const host = isTcp ? (address.host.includes(':') ? `[${address.host}]` : address.host) : 'localhost'
  const whole = text.replace(/^(https?:\/\/):/, `$1${host}:`)
  if (!/^https?:\/\/[^/]/.test(whole) || !URL.canParse(whole)) return null
  return new URL(whole)
}
