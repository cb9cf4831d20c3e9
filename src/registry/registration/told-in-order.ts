import type { RegistrationReports } from './events.js'

/**
 * Reports as they belong: that etcd answers again comes before what it then answered about the lease and its
 * keys. The key's watch and the keep-alives find out by themselves, either of them first.
 */
export function toldInOrder(reports: RegistrationReports): RegistrationReports {
  let trouble: 'unreachable' | 'denied' | null = null
  const recovered = (leaseHolds: boolean) => {
    if (trouble !== null) reports.onRecovered?.({ leaseHolds })
    trouble = null
  }
  return {
    onTrouble: (cause) => {
      const now = cause.code === 'ETCD_DENIED' ? 'denied' : 'unreachable'
      // An etcd that is reached again, and then denies, needs a person: that is told beside the outage.
      if (trouble === 'denied' || trouble === now) return
      trouble = now
      reports.onTrouble?.(cause)
    },
    onRecovered: ({ leaseHolds }) => recovered(leaseHolds),
    onWaiting: (found) => {
      recovered(false)
      reports.onWaiting?.(found)
    },
    onLeaseLost: (lost) => {
      recovered(false)
      reports.onLeaseLost?.(lost)
    },
    onRegistered: (held) => {
      recovered(false)
      reports.onRegistered?.(held)
    },
    onChanged: (now) => reports.onChanged?.(now),
    onReattached: (at) => reports.onReattached?.(at),
    onRefused: (refused) => {
      const { code, reason } = refused.cause
      if (code === 'ETCD_UNREACHABLE' && reason !== 'no-leader') recovered(false)
      reports.onRefused?.(refused)
    },
    onDeleted: (deleted) => reports.onDeleted?.(deleted),
    onDropped: (dropped) => reports.onDropped?.(dropped),
  }
}
