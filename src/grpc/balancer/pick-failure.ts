import type { CallKeys, Policy } from '../../policies/index.js'
import type { Member } from './member.js'
import type { StateCounts } from './state-counts.js'

/** Maximum number of failing endpoints in a message. */
const MAX_EXAMPLES = 3

const NOT_PINNED = 'The call is not pinned to an endpoint: set the header disco-pin, or --pin for all calls'

/**
 * Why no member can be picked, as the status details of a failed call.
 *
 * @param note a description of the list, for messages
 */
export function whyNoneReady(
  { size, stateCounts }: { readonly size: number; readonly stateCounts: StateCounts<Member> },
  note: string,
): string {
  if (size === 0) return `No endpoint to dial. ${note}`
  if (stateCounts.servableCount === 0) return `Every endpoint is drained (weight 0). ${note}`
  const failures = stateCounts
    .examples(MAX_EXAMPLES)
    .map(({ endpoint, problem }) => `${endpoint.registration.addr}: ${problem}`)
  return `No endpoint is READY: ${failures.join('; ')}`
}

/**
 * Why the policy `pinned` picks no member although members are READY: the pinned endpoint is not READY, or the call is
 * not pinned.
 *
 * @returns null if the pinned endpoint may become READY, so that the call should wait
 */
export function whyNotPinned(policy: Policy, { pin }: CallKeys, members: Iterable<Member>): string | null {
  const to = pin ?? policy.config.to ?? null
  const wanted = [...members].filter(({ names }) => names.some((name) => name === to))
  const mayBecomeReady = wanted.some(({ isFailing, endpoint }) => endpoint.weight > 0 && !isFailing)
  if (mayBecomeReady) return null
  return to === null ? NOT_PINNED : whyNotReady(String(to), wanted)
}

function whyNotReady(name: string, [wanted]: readonly Member[]): string {
  if (!wanted) return `The pinned endpoint ${name} is not in the list`
  if (wanted.endpoint.weight === 0) return `The pinned endpoint ${name} is drained (weight 0)`
  return `The pinned endpoint ${name} is not READY: ${wanted.problem}`
}
