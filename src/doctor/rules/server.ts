import type { HealthFault } from '../../agent/health/survey.js'
import type { Endpoint } from '../../domain/endpoint.js'
import type { ServiceFacts } from '../facts.js'
import { type Found, percent, type Rule, type Severity } from '../finding.js'
import { commandOn, isStale, outOfRotation, remedyBy, remedyOf } from '../mend.js'

const UNREACHED: ReadonlySet<HealthFault | null | undefined> = new Set(['refused', 'unreachable'])
const SILENT: ReadonlySet<HealthFault | null | undefined> = new Set(['not-serving', 'no-answer'])

export const unreachable: Rule<ServiceFacts> = {
  code: 'D002',
  title: 'not reachable',
  severity: 'error',
  page: `No gRPC connection to the address could be made from this machine. "connection refused" means that the host is there and
nothing listens at the port. Clients leave such an endpoint out once their own connection has failed; until then, and
at each new client, calls wait for it or fail.

Start its server, or take it out: disco weight SERVICE ADDR 0 stops its traffic and can be undone. Without a lease, where
writers of its layout take one, it is a leftover, which disco doctor --fix removes. Where a firewall is between, run disco doctor on a client's machine.`,
  find: (facts) =>
    facts.endpoints.flatMap((endpoint): Found[] => {
      const checked = facts.healthOf(endpoint)
      if (!UNREACHED.has(checked?.fault)) return []
      const isLeftover = isStale(endpoint, facts)
      const remedy = isLeftover
        ? remedyBy(commandOn(['unregister'], endpoint, facts.endpoints), 'or start its server', endpoint)
        : outOfRotation(endpoint, facts, 'or start its server')
      return [
        {
          endpoint,
          ...severityBy(endpoint, facts),
          text: `${checked?.problem ?? 'no connection'} (registered at rev ${endpoint.createRevision})`,
          ...costOf(endpoint, facts, 'has no server'),
          remedy,
        },
      ]
    }),
}

export const notServing: Rule<ServiceFacts> = {
  code: 'D003',
  title: 'not serving',
  severity: 'error',
  page: `The server accepts connections, and answers grpc.health.v1 with another status than SERVING, or does not answer.
Clients that check health leave it out; all others send it their calls.

Look at the server's log. disco weight SERVICE ADDR 0 stops its traffic meanwhile, and can be undone.`,
  find: (facts) =>
    facts.endpoints.flatMap((endpoint): Found[] => {
      const checked = facts.healthOf(endpoint)
      if (!SILENT.has(checked?.fault)) return []
      return [
        {
          endpoint,
          ...severityBy(endpoint, facts),
          text: checked?.problem ?? 'no answer',
          ...costOf(endpoint, facts, 'goes to a server that does not serve'),
          remedy: outOfRotation(endpoint, facts, 'or mend its server'),
        },
      ]
    }),
}

export const otherProtocol: Rule<ServiceFacts> = {
  code: 'D004',
  title: 'TLS mismatch',
  severity: 'error',
  page: `The server speaks TLS where it was dialled in plaintext, or the other way round. Clients of a service dial all endpoints
the same way, so a mixed service always fails at some of them: that is an error. Where all endpoints speak TLS it is a
warning, and the health of the servers was not checked: repeat it with --tls (and --tls-ca, --tls-cert, --tls-key).`,
  find(facts) {
    const isMixed = facts.endpoints.some((endpoint) => facts.healthOf(endpoint)?.isConnected)
    return facts.endpoints.flatMap((endpoint): Found[] => {
      const checked = facts.healthOf(endpoint)
      const fault = checked?.fault
      if (fault !== 'speaks-tls' && fault !== 'speaks-plaintext') return []
      const repeat =
        fault === 'speaks-tls' ? 'if clients use TLS, repeat it with --tls' : 'repeat it without --tls'
      return [
        {
          endpoint,
          ...severityBy(endpoint, facts, isMixed ? 'error' : 'warning'),
          text: checked?.problem ?? '',
          ...costOf(endpoint, facts, 'fails for clients that dial as this check does'),
          remedy: isMixed ? outOfRotation(endpoint, facts, repeat) : remedyOf(null, repeat),
        },
      ]
    })
  },
}

/** Whether a check has shown that calls to the endpoint fail. */
export function isDown(endpoint: Endpoint, { healthOf }: ServiceFacts): boolean {
  const fault = healthOf(endpoint)?.fault
  return UNREACHED.has(fault) || SILENT.has(fault)
}

/** A drained endpoint gets no calls that could fail. */
function severityBy(
  endpoint: Endpoint,
  { shareOf }: ServiceFacts,
  severity: Severity = 'error',
): Pick<Found, 'severity'> {
  return { severity: shareOf(endpoint) === 0 && severity === 'error' ? 'warning' : severity }
}

/** @param what becomes of its part of the traffic */
function costOf(endpoint: Endpoint, { shareOf }: ServiceFacts, what: string): Pick<Found, 'cost' | 'share'> {
  const share = shareOf(endpoint)
  const cost = share === 0 ? 'no traffic: its weight is 0' : `${percent(share)} of the traffic ${what}`
  return { share, cost }
}
