import { type SurveyOptions, surveyHealth } from '../agent/health/survey.js'
import { type Endpoint, endpointId, type Revision } from '../domain/endpoint.js'
import type { Registry } from '../registry/registry.js'
import { removeUnchanged } from '../registry/remove-unchanged.js'
import type { ServiceFacts } from './facts.js'
import type { Finding } from './finding.js'

/** A leftover key that `--fix` removes, with all its addresses, and the findings that this fixes. */
export interface Removal {
  /** The endpoints of the key, one for each address. The first is the one that the findings name. */
  readonly endpoints: readonly [Endpoint, ...Endpoint[]]
  /** Another key of the service that must still be unchanged; null if the removal does not depend on one. */
  readonly keeper: Endpoint | null
  /** Whether the keeper registers the same server. The key is then removed even if the server answers. */
  readonly isDuplicate: boolean
  readonly findings: readonly Finding[]
}

/** The result of a removal. */
export interface RemovalResult {
  readonly removal: Removal
  /**
   * `changed`: not removed, because the key was written since the examination; `alive`: not removed, because a
   * server now answers at its address; `gone`: another client had removed it.
   */
  readonly outcome: 'removed' | 'changed' | 'alive' | 'gone'
  /** The revision of the removal, or of etcd when the key was checked; for `alive`, that of the examination. */
  readonly revision: Revision
}

/**
 * Collects the keys that the remedies of findings may remove, each key once. If the removals would leave a service only
 * endpoints of weight 0, its weights would count as unset, and the drained endpoints would get all the traffic. Keys
 * with a weight are then left out.
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
  onFixed: (fixed: RemovalResult) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const removal of removals) {
    const { endpoints, keeper, isDuplicate } = removal
    // The user has confirmed the removals since the examination. The server may have started in that time.
    const health = await surveyHealth(endpoints, probe, signal)
    if (signal.aborted) return
    const isRefused = endpoints.every((endpoint) => health.get(endpointId(endpoint))?.fault === 'refused')
    if (!isRefused && !isDuplicate) onFixed({ removal, outcome: 'alive', revision: listedAt })
    else onFixed({ removal, ...(await removeUnchanged(registry, endpoints[0], keeper, listedAt)) })
  }
}
