import type { Examination } from '../../doctor/examine.js'
import { endpointId } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import { duration } from '../terminal/units.js'

/** The result of one kind of check. */
export interface Check {
  readonly name: 'etcd' | 'leases' | 'health'
  /** Whether the check found no problem. */
  readonly ok: boolean
  readonly text: string
}

/** From this TTL on, a lease survives a short pause of its server. */
const GOOD_TTL_SECONDS = 3

/** The results of the checks that could be made; for the others, see `Examination.unchecked`. */
export function checksOf({ members, chosen, health, ttls }: Examination): Check[] {
  return [etcdCheck(members), leaseCheck({ chosen, ttls }), healthCheck({ chosen, health })].filter(
    (check) => check !== null,
  )
}

function etcdCheck(members: Examination['members']): Check | null {
  const answers = members.flatMap(({ status }) => (status instanceof DiscoError ? [] : [status]))
  const [first] = answers
  if (!first) return null
  const versions = [...new Set(answers.map(({ version }) => version))].join(' and ')
  const fastest = Math.min(...answers.map(({ latencyMs }) => latencyMs))
  const isHealthy = answers.every(({ leaderId, alarms }) => leaderId !== null && alarms.length === 0)
  return {
    name: 'etcd',
    ok: answers.length === members.length && isHealthy,
    text: `etcd ${versions}, ${answers.length}/${members.length} answer, ${duration(fastest)}`,
  }
}

function leaseCheck({ chosen, ttls }: Pick<Examination, 'chosen' | 'ttls'>): Check | null {
  const known = [...new Set(chosen.flatMap(({ lease }) => lease ?? []))].flatMap(
    (lease) => ttls.get(lease) ?? [],
  )
  if (known.length === 0) return null
  const good = known.filter(({ grantedTtlSeconds }) => grantedTtlSeconds >= GOOD_TTL_SECONDS).length
  return {
    name: 'leases',
    ok: good === known.length,
    text: `leases of ${GOOD_TTL_SECONDS}s or more ${good}/${known.length}`,
  }
}

function healthCheck({ chosen, health }: Pick<Examination, 'chosen' | 'health'>): Check | null {
  const answers = chosen.flatMap((endpoint) => health.get(endpointId(endpoint)) ?? [])
  if (answers.length === 0) return null
  const serving = answers.filter(({ status }) => status === 'SERVING').length
  const connected = answers.filter(({ status }) => status === 'UNIMPLEMENTED').length
  const others = connected === 0 ? '' : `, ${connected} accept connections without grpc.health.v1`
  return {
    name: 'health',
    ok: serving + connected === answers.length,
    text: `health SERVING ${serving}/${answers.length}${others}`,
  }
}
