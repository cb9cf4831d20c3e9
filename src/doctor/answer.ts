import type { Endpoint } from '../domain/endpoint.js'
import { DEFAULT_LAYOUT, findLayout } from '../domain/layouts/index.js'
import type { ServiceFacts } from './facts.js'
import { percent } from './finding.js'

/** Whether an endpoint gets traffic, and why not. */
export interface Answer {
  readonly endpoint: Endpoint
  /** `unknown` if something that decides it could not be checked. */
  readonly traffic: 'none' | 'some' | 'unknown'
  /** The endpoint's share of the service's traffic, from 0 to 1. */
  readonly share: number
  /** A clause: the reason, or what was checked. */
  readonly text: string
}

/**
 * Answers "why does it get no traffic?". The first reason that suffices counts: a client does not look at health
 * if the weight is 0.
 *
 * @param program the layout that programs read by default
 */
export function answerFor(
  endpoint: Endpoint,
  facts: ServiceFacts,
  program: string = DEFAULT_LAYOUT.name,
): Answer {
  const share = facts.shareOf(endpoint)
  const decided = decide(endpoint, facts, share)
  const isElsewhere = endpoint.layout !== program && program !== 'auto'
  const seen = isElsewhere
    ? `; a program sees it only by etcd:///${encodeURIComponent(endpoint.service)}?layout=${endpoint.layout}`
    : ''
  return {
    endpoint,
    ...decided,
    share: decided.traffic === 'none' ? 0 : share,
    text: decided.text + (decided.traffic === 'none' ? '' : seen),
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
    return unknown(`its weight gives it ${percent(share)} of the calls; its server could not be asked`)
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
      return none(`clients that dial it as this check did fail: ${why}`)
    case 'no-answer':
      return none(`its server does not answer: ${why}`)
    case 'not-serving':
      return none(
        `its server reports ${why}: clients that check health leave it out, and the others' calls go there`,
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

/** A share so small that a short look sees none of it. */
const RARE = 0.01

function oneIn(share: number): string {
  return share > 0 && share < RARE ? `, one in ${Math.round(1 / share)}` : ''
}

function none(text: string): Pick<Answer, 'traffic' | 'text'> {
  return { traffic: 'none', text: `it gets no traffic: ${text}` }
}

function unknown(text: string): Pick<Answer, 'traffic' | 'text'> {
  return { traffic: 'unknown', text: `not certain: ${text}` }
}
