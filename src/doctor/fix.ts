import { type SurveyOptions, surveyHealth } from '../agent/health/survey.js'
import { type Endpoint, endpointId, type Revision } from '../domain/endpoint.js'
import type { Registry } from '../registry/registry.js'
import { removeUnchanged } from '../registry/remove-unchanged.js'
import type { ServiceFacts } from './facts.js'
import type { Finding } from './finding.js'

/** A leftover key that `--fix` removes, with all its addresses, and the findings that this fixes. */
export interface Removal {
  /** The first is the one that the findings name. */
  readonly endpoints: readonly [Endpoint, ...Endpoint[]]
  /** Another key of the service that must still be unchanged; null if the removal does not depend on one. */
  readonly keeper: Endpoint | null
  /** Whether the keeper is of the same server, so that it may serve. */
  readonly isDuplicate: boolean
  readonly findings: readonly Finding[]
}

/** What became of a removal. */
export interface Fixed {
  readonly removal: Removal
  /** `changed`: written since the examination, and left; `alive`: a server answers there now; `gone`: removed by another client. */
  readonly outcome: 'removed' | 'changed' | 'alive' | 'gone'
  readonly revision: Revision
}

/**
 * The removals that findings ask for, each key once. Leaves out those that would together take the last weight of a
 * service with drained endpoints, which would then get all the traffic.
 */
export function removalsOf(findings: readonly Finding[], services: readonly ServiceFacts[]): Removal[] {
  const byKey = new Map<string, { endpoint: Endpoint; findings: Finding[] }>()
  for (const finding of findings) {
    const { removes } = finding.remedy
    if (removes === null) continue
    const known = byKey.get(removes.key)
    if (known) known.findings.push(finding)
    else byKey.set(removes.key, { endpoint: removes, findings: [finding] })
  }
  return services.flatMap(({ endpoints, weightsUnset }) => {
    const remaining = endpoints.filter(({ key, problem }) => problem === null && !byKey.has(key))
    const keeper = remaining.find(({ weight }) => weight > 0) ?? null
    const isLastWeight = !weightsUnset && keeper === null && remaining.length > 0
    return [...new Set(endpoints.map(({ key }) => key))].flatMap((key): Removal[] => {
      const asked = byKey.get(key)
      if (!asked || (isLastWeight && asked.endpoint.weight > 0)) return []
      const others = endpoints.filter((one) => one.key === key && one !== asked.endpoint)
      const { endpoint, findings: fixed } = asked
      const twin = fixed.find(({ remedy }) => remedy.twin !== null)?.remedy.twin ?? null
      return [
        {
          endpoints: [endpoint, ...others],
          keeper: twin ?? (endpoint.weight > 0 ? keeper : null),
          isDuplicate: twin !== null,
          findings: fixed,
        },
      ]
    })
  })
}

/**
 * Removes leftover keys, one after the other: each is probed once more, and deleted if it has not changed since the
 * examination.
 *
 * @param listedAt the revision of the examination
 * @param signal ends it before the next key
 * @throws DiscoError ETCD_UNREACHABLE, ETCD_DENIED, OUTCOME_UNKNOWN
 */
export async function fix(
  registry: Registry,
  removals: readonly Removal[],
  { probe, listedAt }: { readonly probe: SurveyOptions; readonly listedAt: Revision },
  onFixed: (fixed: Fixed) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const removal of removals) {
    const { endpoints, keeper, isDuplicate } = removal
    // Between examination and removal is a question on the terminal: the server may have been started meanwhile.
    const health = await surveyHealth(endpoints, probe, signal)
    if (signal.aborted) return
    const isRefused = endpoints.every((endpoint) => health.get(endpointId(endpoint))?.fault === 'refused')
    if (!isRefused && !isDuplicate) onFixed({ removal, outcome: 'alive', revision: listedAt })
    else onFixed({ removal, ...(await removeUnchanged(registry, endpoints[0], keeper, listedAt)) })
  }
}
