import type { Endpoint } from '../domain/endpoint.js'
import { DEFAULT_LAYOUT, findLayout } from '../domain/layouts/index.js'
import type { ServiceFacts } from './facts.js'
import { percent } from './finding.js'

/** Whether an endpoint gets traffic, with the reason. */
export interface Answer {
  readonly endpoint: Endpoint
  /** `unknown` if the layout's clients may ignore weight 0, or the health of the endpoint could not be checked. */
  readonly traffic: 'none' | 'some' | 'unknown'
  /** The endpoint's share of the service's traffic, from 0 to 1; 0 if `traffic` is `none`. */
  readonly share: number
  /** A clause: why the endpoint gets traffic, why it gets none, or what could not be checked. */
  readonly text: string
}

/**
 * Answers "why does this endpoint get no traffic?". Value, weight and health are checked in this order, as a client
 * does. The first of them that stops the traffic is the reason.
 *
 * @param programLayout the layout that programs read if their target does not name one, or `auto`
 */
export function answerFor(
  endpoint: Endpoint,
  facts: ServiceFacts,
  programLayout: string = DEFAULT_LAYOUT.name,
): Answer {
  const share = facts.shareOf(endpoint)
  const decided = decide(endpoint, facts, share)
  const needsLayout = endpoint.layout !== programLayout && programLayout !== 'auto'
  const layoutHint = needsLayout
    ? `; a program sees it only by etcd:///${encodeURIComponent(endpoint.service)}?layout=${endpoint.layout}`
    : ''
  return {
    endpoint,
    ...decided,
    share: decided.traffic === 'none' ? 0 : share,
    text: decided.text + (decided.traffic === 'none' ? '' : layoutHint),
  }
}

function decide(
  endpoint: Endpoint,
  { weightsUnset, healthOf, endpoints }: ServiceFacts,
  share: number,
): Pick<Answer, 'traffic' | 'text'> {
  const { problem, weight, modRevision, layout } = endpoint
  if (problem !== null) return none(`clients skip it: ${problem.text} (rev ${modRevision})`)
  if (weight === 0 && !weightsUnset) {
    const hint = findLayout(layout)?.hint(endpoint)
    return hint?.code === 'zero-is-default'
      ? unknown(`its weight is 0 since rev ${modRevision}: disco clients send it nothing; ${hint.text}`)
      : none(`its weight is 0 since rev ${modRevision}: it is drained`)
  }
  const checked = healthOf(endpoint)
  if (!checked)
    return unknown(`its weight gives it ${percent(share)} of the calls; its server could not be probed`)
  const { fault, problem: why } = checked
  switch (fault) {
    case null:
      return {
        traffic: 'some',
        text: `it does get traffic: ${healthClause(checked.status)}, weight ${weight}, ${percent(share)} of the calls${oneIn(share)}${
          weightsUnset ? ` (no endpoint has a weight: all ${endpoints.length} count as equal)` : ''
        }`,
      }
    case 'refused':
    case 'unreachable':
      return none(`no connection to its server: ${why}`)
    case 'speaks-tls':
    case 'speaks-plaintext':
      return none(`clients with the TLS setting of this check cannot connect to it: ${why}`)
    case 'no-answer':
      return none(`its server does not answer: ${why}`)
    case 'not-serving':
      return none(
        `its server reports ${why}: clients that check health skip it; only clients that do not check health call it`,
      )
    default:
      return unknown(
        `its weight gives it ${percent(share)} of the calls; its health could not be checked: ${why}`,
      )
  }
}

function healthClause(status: string | null): string {
  return status === 'SERVING'
    ? 'it is registered and SERVING'
    : 'it is registered and accepts gRPC connections (without grpc.health.v1)'
}

/** With a share below this, a short run may not send the endpoint any call: the text also says "one in N". */
const RARE_FRACTION = 0.01

function oneIn(share: number): string {
  return share > 0 && share < RARE_FRACTION ? `, one in ${Math.round(1 / share)}` : ''
}

function none(text: string): Pick<Answer, 'traffic' | 'text'> {
  return { traffic: 'none', text: `it gets no traffic: ${text}` }
}

function unknown(text: string): Pick<Answer, 'traffic' | 'text'> {
  return { traffic: 'unknown', text: `not certain: ${text}` }
}
