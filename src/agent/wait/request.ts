import type { Revision } from '../../domain/endpoint.js'
import { type EndpointFilter, formatFilter, isUnfiltered } from '../../domain/endpoint-filter.js'
import type { DiscoError } from '../../domain/errors.js'
import { formatWaitCondition, type WaitCondition } from '../../domain/wait-condition.js'
import type { WaitFacts } from '../../domain/wait-judgement.js'
import type { SurveyOptions } from '../health/survey.js'

export interface WaitRequest {
  /** Undefined for all services. */
  readonly service: string | undefined
  /** Selects the endpoints that the conditions are about. */
  readonly filter: EndpointFilter
  /** All of them must hold at the same time. */
  readonly conditions: readonly WaitCondition[]
  /** How long they must hold without a break; 0 if it suffices that they hold once. */
  readonly holdMs: number
  /** Limit of the wait. The service is checked at least once, if etcd answers. */
  readonly timeoutMs: number
  /** The settings of health checks. */
  readonly probe: SurveyOptions
}

/** State of the service when all conditions held. */
export interface WaitResult {
  readonly revision: Revision
  readonly facts: WaitFacts
  readonly elapsedMs: number
  /** How long the conditions had held by then. */
  readonly heldMs: number
}

export interface WaitReports {
  /** Called with the current state, as a clause, whenever it differs from the last. */
  onState?(now: string): void
  /** Called when etcd is unreachable, or denies a request after the first list. The wait continues. */
  onStale?(cause: DiscoError): void
  /** Called when the conditions begin to hold, if they must hold for some time. */
  onHold?(): void
  /** Called when they no longer hold, or etcd is unreachable. They must then hold again from the start. */
  onBreak?(heldMs: number, why: string): void
  /** Called once, with NOT_FOUND, if the filter selects no endpoint of the first list. The wait continues. */
  onNothing?(nothing: DiscoError): void
}

/** The endpoints of a wait, for messages: `hello -l version=2.0.0`, or `all services --host 10.0.0.5`. */
export function waitSubject({ service, filter }: Pick<WaitRequest, 'service' | 'filter'>): string {
  return [service ?? 'all services', ...(isUnfiltered(filter) ? [] : [formatFilter(filter)])].join(' ')
}

/** The conditions of a wait, for messages: `healthy>=3, gone 1.2.3.4:1001 for 5s`. */
export function waitConditions({ conditions, holdMs }: Pick<WaitRequest, 'conditions' | 'holdMs'>): string {
  const all = conditions.map(formatWaitCondition).join(', ')
  return holdMs === 0 ? all : `${all} for ${holdMs / 1000}s`
}
