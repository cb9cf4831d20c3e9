import type { Answer } from '../../doctor/answer.js'
import type { Examination, UncheckedItem } from '../../doctor/examine.js'
import type { Finding, Severity } from '../../doctor/finding.js'
import type { RemovalResult } from '../../doctor/fix.js'
import { type ErrorDoc, errorDoc, roundShare } from '../../domain/documents.js'
import { type Check, checksOf } from './checks.js'

export interface FindingDoc {
  readonly code: string
  readonly severity: Severity
  readonly title: string
  /** Null if the finding is about etcd. */
  readonly service: string | null
  /** Null, like `addr`, if the finding is about a whole service or about etcd. */
  readonly key: string | null
  readonly addr: string | null
  /** The URL of the etcd member that the finding is about; null for other findings. */
  readonly member: string | null
  /** The revision since which the finding holds; null if etcd's history does not show it. */
  readonly since: string | null
  /** A clause: what is wrong. */
  readonly text: string
  /** A clause: the consequence; null if there is no consequence now. */
  readonly cost: string | null
  /** The affected share of the service's traffic, from 0 to 1; null if it is not computed. */
  readonly share: number | null
  readonly mend: {
    /** A shell command that fixes the finding; null if there is none. */
    readonly command: string | null
    /** How to fix the finding without `command`, in words; null if there is no other way. */
    readonly otherwise: string | null
    /** Whether `--fix` fixes the finding. */
    readonly safe: boolean
  }
  /** The outcome of `--fix`, see `RemovalResult`; null if the fix was not tried. */
  readonly fixed: RemovalResult['outcome'] | 'planned' | null
}

export interface AnswerDoc {
  readonly key: string
  readonly addr: string
  readonly traffic: Answer['traffic']
  readonly share: number
  readonly text: string
}

export interface DoctorDoc {
  readonly schema: 'disco.doctor/v1'
  /** Null if all services were examined. */
  readonly service: string | null
  /** Null if the registrations could not be read. */
  readonly rev: string | null
  /** Number of services and endpoints that were examined. */
  readonly services: number
  readonly endpoints: number
  readonly errors: number
  readonly warnings: number
  /** Sorted by severity, errors first. `errors` and `warnings` omit those that `--fix` has fixed. */
  readonly findings: readonly FindingDoc[]
  /** The results of the checks that were made. */
  readonly checks: readonly Check[]
  /** The checks that could not be made, with the reasons. */
  readonly unchecked: readonly UncheckedItem[]
  /** Whether each endpoint given by address or key gets traffic. */
  readonly answers: readonly AnswerDoc[]
  /** Whether the examination was ended before everything was probed. */
  readonly interrupted: boolean
  /** Why the registrations could not be read; null if they were read, or the examination was interrupted. */
  readonly failure: ErrorDoc['error'] | null
}

const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 }

export interface Outcome {
  readonly service: string | undefined
  readonly examination: Examination
  readonly findings: readonly Finding[]
  readonly answers: readonly Answer[]
  /** Outcomes of `--fix`, by finding; see `FindingDoc.fixed`. */
  readonly fixes: ReadonlyMap<Finding, NonNullable<FindingDoc['fixed']>>
  readonly interrupted: boolean
  /** Formats a command as one line for a shell. */
  readonly line: (command: readonly string[]) => string
}

export function doctorDoc({
  service,
  examination,
  findings,
  answers,
  fixes,
  interrupted,
  line,
}: Outcome): DoctorDoc {
  const { revision, chosen, unchecked, failure } = examination
  const docs = findings
    .toSorted((a, b) => ORDER[a.severity] - ORDER[b.severity])
    .map((finding) => findingDoc(finding, fixes.get(finding) ?? null, line))
  const remaining = docs.filter(({ fixed }) => fixed !== 'removed' && fixed !== 'gone')
  return {
    schema: 'disco.doctor/v1',
    service: service ?? null,
    rev: revision === null ? null : String(revision),
    services: new Set(chosen.map((endpoint) => endpoint.service)).size,
    endpoints: chosen.length,
    errors: remaining.filter(({ severity }) => severity === 'error').length,
    warnings: remaining.filter(({ severity }) => severity === 'warning').length,
    findings: docs,
    checks: checksOf(examination),
    unchecked,
    answers: answers.map(({ endpoint, traffic, share, text }) => ({
      key: endpoint.key,
      addr: endpoint.addr,
      traffic,
      share: roundShare(share),
      text,
    })),
    interrupted,
    failure: failure && errorDoc(failure).error,
  }
}

function findingDoc(
  { code, severity, title, service, endpoint, member, since, text, cost, share, remedy }: Finding,
  fixed: FindingDoc['fixed'],
  line: Outcome['line'],
): FindingDoc {
  return {
    code,
    severity,
    title,
    service,
    key: endpoint?.key ?? null,
    addr: endpoint?.addr ?? null,
    member,
    since: since === null ? null : String(since),
    text,
    cost,
    share: share === null ? null : roundShare(share),
    mend: {
      command: remedy.command && line(remedy.command),
      otherwise: remedy.otherwise,
      safe: remedy.removes !== null,
    },
    fixed,
  }
}
