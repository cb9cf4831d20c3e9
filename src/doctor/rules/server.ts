import type { HealthFault } from '../../agent/health/survey.js'
import type { Endpoint } from '../../domain/endpoint.js'
import type { ServiceFacts } from '../facts.js'
import { percent, type Rule, type RuleFinding, type Severity } from '../finding.js'
import { commandOn, isLeftover, outOfRotation, remedyBy, remedyOf } from '../remedy.js'

const UNREACHED: ReadonlySet<HealthFault | null | undefined> = new Set(['refused', 'unreachable'])
const UNHEALTHY: ReadonlySet<HealthFault | null | undefined> = new Set(['not-serving', 'no-answer'])

export const unreachable: Rule<ServiceFacts> = {
  code: 'D002',
  title: 'not reachable',
  severity: 'error',
  page: `No gRPC connection to the address could be made from this machine. "connection refused" means that the host is there and
nothing listens at the port. Clients leave such an endpoint out once their own connection has failed; until then, and
at each new client, calls wait for it or fail.

Start its server, or take it out: disco weight SERVICE ADDR 0 stops its traffic and can be undone. A key without a lease, in
a layout whose writers take one, is a leftover, which disco doctor --fix removes. If a firewall may block this machine only,
run disco doctor on a client's machine.`,
  find: (facts) =>
    facts.endpoints.flatMap((endpoint): RuleFinding[] => {
      const checked = facts.healthOf(endpoint)
      if (!UNREACHED.has(checked?.fault)) return []
      const remedy = isLeftover(endpoint, facts)
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
    facts.endpoints.flatMap((endpoint): RuleFinding[] => {
      const checked = facts.healthOf(endpoint)
      if (!UNHEALTHY.has(checked?.fault)) return []
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
  page: `The server speaks TLS but was dialled in plaintext, or the other way round. Clients of a service dial all endpoints the
same way. If some endpoints speak TLS and some do not, calls always fail at some of them: that is an error. If all speak TLS,
it is a warning. The health of these servers was not checked: repeat it with --tls (and --tls-ca, --tls-cert, --tls-key).`,
  find(facts) {
    const isMixed = facts.endpoints.some((endpoint) => facts.healthOf(endpoint)?.isConnected)
    return facts.endpoints.flatMap((endpoint): RuleFinding[] => {
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
  return UNREACHED.has(fault) || UNHEALTHY.has(fault)
}

/** An error becomes a warning if the endpoint has no share of the traffic: it gets no calls that could fail. */
function severityBy(
  endpoint: Endpoint,
  { shareOf }: ServiceFacts,
  severity: Severity = 'error',
): Pick<RuleFinding, 'severity'> {
  return { severity: shareOf(endpoint) === 0 && severity === 'error' ? 'warning' : severity }
}

/** @param effect a predicate for the affected share of the traffic, such as `has no server` */
function costOf(
  endpoint: Endpoint,
  { shareOf }: ServiceFacts,
  effect: string,
): Pick<RuleFinding, 'cost' | 'share'> {
  const share = shareOf(endpoint)
  const cost = share === 0 ? 'no traffic: its weight is 0' : `${percent(share)} of the traffic ${effect}`
  return { share, cost }
}
