import { isUnfiltered } from '../domain/endpoint-filter.js'
import type { Registry } from '../registry/registry.js'
import { type Answer, answerFor } from './answer.js'
import { type Examination, examine, type OnProgress, type Request } from './examine.js'
import { type Finding, findingsBy } from './finding.js'
import { ETCD_RULES, SERVICE_RULES } from './rules/index.js'

/** The facts of an examination, and the findings that the rules derive from them. */
export interface Diagnosis {
  readonly examination: Examination
  /** About the selected endpoints, their services and etcd. */
  readonly findings: readonly Finding[]
  /** One for each endpoint that the filter names by address or key; empty if the filter names none. */
  readonly answers: readonly Answer[]
}

interface DiagnosisRequest extends Request {
  /** The layout that programs read if their target does not name one; default: seed. Only the answers depend on it. */
  readonly layout?: string | undefined
}

/**
 * Examines a registry and applies all rules.
 *
 * @throws DiscoError NOT_FOUND for a service or a selection without endpoints
 */
export async function diagnose(
  registry: Registry,
  request: DiagnosisRequest,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Diagnosis> {
  const examination = await examine(registry, request, onProgress, signal)
  const { services, chosen, members } = examination
  const selected = new Set(chosen)
  const isAll = isUnfiltered(request.filter)
  const ofServices = services
    .filter(({ endpoints }) => endpoints.some((endpoint) => selected.has(endpoint)))
    .flatMap((facts) => findingsBy(SERVICE_RULES, facts, facts.service))
    .filter(({ endpoint }) => isAll || endpoint === null || selected.has(endpoint))
  const isNamed = request.filter.addrs.length > 0
  const answers = services.flatMap((facts) =>
    facts.endpoints
      .filter((endpoint) => isNamed && selected.has(endpoint))
      .map((endpoint) => answerFor(endpoint, facts, request.layout || undefined)),
  )
  return {
    examination,
    findings: [...findingsBy(ETCD_RULES, { members }, null), ...ofServices],
    answers,
  }
}
