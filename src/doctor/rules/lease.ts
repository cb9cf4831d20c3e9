import { readAddress } from '../../domain/address.js'
import { type Endpoint, isReadable, type LeaseId } from '../../domain/endpoint.js'
import { findLayout } from '../../domain/layouts/index.js'
import { byKey, type ServiceFacts } from '../facts.js'
import { counted, listed, percent, type Rule, type RuleFinding } from '../finding.js'
import { commandOn, isLeftover, lacksLease, remedyBy, remedyOf } from '../remedy.js'

/** A lease with a shorter TTL expires during a short pause of the server, the network or etcd. */
const MIN_TTL_SECONDS = 3

/** Registrars renew a lease every TTL / 3, so two renewals are missed when less than this part of the TTL is left. */
const LATE_FRACTION = 1 / 3

/** etcd reports the remaining TTL in whole seconds, which is too coarse to show missed renewals of a shorter TTL. */
const MIN_JUDGED_TTL_SECONDS = 6

export const noLease: Rule<ServiceFacts> = {
  code: 'D001',
  title: 'no lease',
  severity: 'error',
  page: `The key has no lease, so it never expires. When its server ends, clients keep dialling it, and their calls fail.
It comes from a writer that puts the key without a lease, or from a tool that overwrote it (etcdctl put detaches a lease).

If nothing listens at its address, the key is a leftover: remove it with disco unregister, or disco doctor --fix.
If its server runs, restart the server under a registrar that holds a lease, such as disco register … -- CMD.
The finding is a warning in a layout whose writers take a lease only if configured to (ego). It is not reported in a layout
whose writers never take one.`,
  find(facts) {
    const { endpoints } = facts
    const leaseless = byKey(endpoints).filter((endpoint) => lacksLease(endpoint) && isReadable(endpoint))
    return leaseless.map((endpoint): RuleFinding => {
      const hint = findLayout(endpoint.layout)?.hint(endpoint)
      const isDead = isLeftover(endpoint, facts)
      const isServing = facts.healthOf(endpoint)?.isConnected === true
      const share = facts.shareOf(endpoint)
      const remedy = isServing
        ? remedyOf(null, 'its server runs: restart it under a registrar that holds a lease')
        : remedyBy(
            commandOn(['unregister'], endpoint, endpoints),
            isDead ? 'or restart its server' : 'once its server has ended, or restart its server',
            isDead ? endpoint : null,
          )
      return {
        ...(hint?.code === 'ego-no-lease' ? { severity: 'warning' as const } : {}),
        endpoint,
        since: endpoint.modRevision,
        text: 'never expires',
        cost: isDead || share === 0 ? null : `${percent(share)} of the calls will fail when its server ends`,
        share,
        remedy,
      }
    })
  },
}

export const sharedLease: Rule<ServiceFacts> = {
  code: 'D011',
  title: 'shared lease',
  severity: 'warning',
  page: `One lease holds the keys of several hosts. When its holder ends, or loses the lease, all these registrations
are removed at once, whether their servers run or not.

Let each server hold its registration under a lease of its own: disco register, or register() of the library.`,
  find: ({ service, endpoints, ofLease }) =>
    leasesOf(endpoints).flatMap((lease): RuleFinding[] => {
      const all = byKey(ofLease(lease).filter(isReadable))
      const hosts = [...new Set(all.map(({ addr }) => hostOf(addr)))].filter((host) => host !== '')
      // A lease of several services is reported with the first of them.
      if (hosts.length < 2 || all[0]?.service !== service) return []
      return [
        {
          endpoint: all[0],
          since: Math.max(...all.map(({ modRevision }) => modRevision)),
          text: `lease …${lease.slice(-4)} holds ${counted(all.length, 'key')} of ${hosts.length} hosts (${listed(hosts)})`,
          cost: 'all are removed when its holder ends',
          remedy: remedyOf(null, 'let each server hold a lease of its own'),
        },
      ]
    }),
}

export const shortTtl: Rule<ServiceFacts> = {
  code: 'D012',
  title: 'short TTL',
  severity: 'warning',
  page: `A lease with a TTL under ${MIN_TTL_SECONDS} s expires during a pause of its server, of the network or of etcd (an election takes a second
or more), and clients lose an endpoint that serves. The finding is an error if the TTL is not longer than the round trip to
etcd: no keep-alive can arrive in time.

Register with a longer TTL: disco register … --ttl 10.`,
  find({ endpoints, ttlOf, shareOf, roundTripMs }) {
    const byTtl = new Map<number, Endpoint[]>()
    for (const endpoint of byKey(endpoints)) {
      const seconds = endpoint.lease === null ? undefined : ttlOf(endpoint.lease)?.grantedTtlSeconds
      const isShort =
        seconds !== undefined && (seconds < MIN_TTL_SECONDS || seconds * 1000 <= (roundTripMs ?? 0))
      if (isShort) byTtl.set(seconds, [...(byTtl.get(seconds) ?? []), endpoint])
    }
    return [...byTtl].map(([seconds, short]): RuleFinding => {
      const cannotBeRenewed = roundTripMs !== null && seconds * 1000 <= roundTripMs
      const share = short.reduce((sum, endpoint) => sum + shareOf(endpoint), 0)
      const [only] = short
      return {
        ...(cannotBeRenewed ? { severity: 'error' as const } : {}),
        endpoint: short.length === 1 ? (only ?? null) : null,
        since: Math.max(...short.map(({ createRevision }) => createRevision)),
        text: `${short.length === 1 ? '' : `${counted(short.length, 'key')} (${listed(short.map(({ addr }) => addr))}): `}TTL ${seconds}s${cannotBeRenewed ? `, and the round trip to etcd takes ${Math.round(roundTripMs)} ms` : ''}`,
        cost: `a pause of ${seconds}s (server, network or etcd) moves up to ${percent(share)} of the traffic to other endpoints`,
        share,
        remedy: remedyOf(null, 'register with a longer one: --ttl 10'),
      }
    })
  },
}

export const notRenewed: Rule<ServiceFacts> = {
  code: 'D013',
  title: 'not renewed',
  severity: 'warning',
  page: `Less than a third of the lease's TTL is left. Registrars renew a lease three times per TTL, so the registrar of this one is
late: its process hangs, has ended, or does not reach etcd. The key is removed at the end of the TTL, unless the lease is renewed.

Look at the registrar. A process that ended without deregistering needs nothing: its key lapses by itself.`,
  find: ({ endpoints, ttlOf, shareOf }) =>
    byKey(endpoints).flatMap((endpoint): RuleFinding[] => {
      const ttl = endpoint.lease === null ? undefined : ttlOf(endpoint.lease)
      if (!ttl || ttl.grantedTtlSeconds < MIN_JUDGED_TTL_SECONDS) return []
      const { ttlSeconds, grantedTtlSeconds } = ttl
      if (ttlSeconds + 1 > grantedTtlSeconds * LATE_FRACTION) return []
      return [
        {
          endpoint,
          text: `${ttlSeconds}s of ${grantedTtlSeconds}s left: its registrar is late`,
          cost: 'its key is removed at the end of that time',
          share: shareOf(endpoint),
          remedy: remedyOf(null, 'look at its registrar'),
        },
      ]
    }),
}

function leasesOf(endpoints: readonly Endpoint[]): LeaseId[] {
  return [...new Set(endpoints.flatMap(({ lease }) => lease ?? []))]
}

/** The host of a TCP address; empty for a Unix socket, or for a text that is not an address. */
function hostOf(addr: string): string {
  const address = readAddress(addr)
  return 'problem' in address || address.kind !== 'tcp' ? '' : address.host
}
