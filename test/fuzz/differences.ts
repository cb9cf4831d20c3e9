import type { Message } from '../support/etcd-api.js'
import type { Known } from './generator.js'
import type { Step } from './steps.js'

interface VersionDifference {
  /** The first version that is known to answer like the dev registry. Earlier versions may differ. */
  readonly since: readonly [major: number, minor: number, patch: number]
  readonly before: string
  /** Whether the step may show the difference, given the revisions of the store. */
  readonly isShownBy: (step: Step, known: Pick<Known, 'revision' | 'compactRevision'>) => boolean
}

/**
 * Differences between older versions of etcd and 3.5.30, whose answers the dev registry gives. A comparison with an
 * older version skips these steps; all other answers must be equal. The fuzzer found the differences with 3.4.23 and
 * 3.5.16.
 */
export const DIFFERENCES: readonly VersionDifference[] = [
  {
    since: [3, 5, 16],
    before: 'a progress request is always answered, also where no watcher is synced or none is there',
    isShownBy: (step) => step.do === 'watch' && 'progress_request' in step.request,
  },
  {
    since: [3, 5, 30],
    before:
      'a watcher whose start revision is still to come does not keep a progress request from being answered',
    isShownBy: (step, { revision }) => startRevision(step) > revision,
  },
  {
    since: [3, 5, 30],
    before:
      'a watcher whose start revision is negative is created, and soon canceled because its revision is compacted',
    isShownBy: (step) => startRevision(step) < 0,
  },
  {
    since: [3, 5, 16],
    before: 'a watcher that starts at the compaction revision is not given what was deleted at it',
    isShownBy: (step, { compactRevision }) => startRevision(step) === compactRevision,
  },
  {
    since: [3, 5, 16],
    before: "the answer to Maintenance/Alarm has no header, alone among etcd's answers",
    isShownBy: (step) => step.do === 'call' && step.path === 'Maintenance/Alarm',
  },
]

/** @param etcdVersion such as `3.5.16` */
export function isComparable(
  etcdVersion: string,
  step: Step,
  known: Pick<Known, 'revision' | 'compactRevision'>,
): boolean {
  return !DIFFERENCES.some(({ since, isShownBy }) => isBefore(etcdVersion, since) && isShownBy(step, known))
}

/** The start revision of the created watcher; NaN if the step creates none. */
function startRevision(step: Step): number {
  if (step.do !== 'watch') return Number.NaN
  const creation = step.request.create_request as Message | undefined
  return Number(creation?.start_revision ?? Number.NaN)
}

function isBefore(version: string, since: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  const at = since.findIndex((part, index) => part !== parts[index])
  return at !== -1 && (parts[at] ?? 0) < (since[at] ?? 0)
}
