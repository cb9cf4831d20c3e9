import type { DiscoError } from '../../domain/errors.js'
import type { MemberCheckResult, MemberStatus } from '../../registry/members.js'
import { listed, type Rule, type RuleFinding } from '../finding.js'
import { remedyOf } from '../remedy.js'

/** The status of each etcd member in --endpoints. */
export interface EtcdFacts {
  readonly members: readonly MemberCheckResult[]
}

type ReachableMember = MemberCheckResult & { readonly status: MemberStatus }

/** A member this far behind in the log serves old data, or cannot keep up. */
const MAX_ENTRIES_BEHIND = 5_000

/** The oldest version of etcd with which disco is tested. */
const OLDEST = [3, 4] as const

export const alarm: Rule<EtcdFacts> = {
  code: 'D020',
  title: 'etcd alarm',
  severity: 'error',
  page: `etcd has raised an alarm. NOSPACE: the database has reached its quota, and etcd refuses every write. No server can register
or replace a lost lease, and no weight can be set. CORRUPT: members have different data.

For NOSPACE free space (etcdctl compact REVISION, then etcdctl defrag on each member), then run etcdctl alarm disarm. If
all keys are needed, raise --quota-backend-bytes. For CORRUPT follow etcd's disaster recovery guide.`,
  find(facts) {
    const raised = answered(facts).flatMap(({ url, status }) => status.alarms.map((kind) => ({ url, kind })))
    const kinds = [...new Set(raised.map(({ kind }) => kind))]
    return kinds.map((kind): RuleFinding => {
      const member = raised.find((one) => one.kind === kind)?.url ?? ''
      return {
        member,
        text: kind,
        cost: kind === 'NOSPACE' ? 'etcd refuses every write' : 'the data may be wrong',
        remedy: remedyOf(
          ['etcdctl', `--endpoints=${member}`, 'alarm', 'disarm'],
          kind === 'NOSPACE'
            ? 'after freeing space: etcdctl compact, etcdctl defrag'
            : "after the recovery that etcd's disaster recovery guide describes",
        ),
      }
    })
  },
}

export const noLeader: Rule<EtcdFacts> = {
  code: 'D021',
  title: 'no leader',
  severity: 'error',
  page: `The member has no leader: fewer than a majority of the cluster's members are running and connected. No registration can be
made or renewed. Clients keep their last list.

Start the missing members, and check the network between the members (port 2380).`,
  find: (facts) =>
    answered(facts)
      .filter(({ status }) => status.leaderId === null)
      .map(
        ({ url }): RuleFinding => ({
          member: url,
          text: 'has no leader',
          cost: 'it accepts no registration and no renewal',
          remedy: remedyOf(null, 'start the missing members: a majority must be running and connected'),
        }),
      ),
}

export const differingMembers: Rule<EtcdFacts> = {
  code: 'D022',
  title: 'members differ',
  severity: 'error',
  page: `The members in --endpoints belong to different clusters, follow different leaders, or one is far behind the others. Reads
depend on the member that answers.

Give the members of one cluster in --endpoints. A member that stays behind has a slow disk or network; look at its log.`,
  find(facts) {
    const members = answered(facts)
    const clusters = [...new Set(members.map(({ status }) => status.clusterId))]
    if (clusters.length > 1) {
      const named = clusters.map((id) =>
        listed(members.filter(({ status }) => status.clusterId === id).map(({ url }) => url)),
      )
      return [
        {
          text: `${clusters.length} different clusters: ${named.join(' and ')}`,
          cost: 'reads depend on the member that answers',
          remedy: remedyOf(null, 'give the members of one cluster in --endpoints'),
        },
      ]
    }
    // During an election the terms of members may differ. In one term there is only one leader.
    const latest = Math.max(...members.map(({ status }) => status.raftTerm))
    const leaders = new Set(
      members
        .filter(({ status }) => status.raftTerm === latest && status.leaderId !== null)
        .map(({ status }) => status.leaderId),
    )
    const apart: RuleFinding[] =
      leaders.size > 1
        ? [
            {
              text: `${leaders.size} leaders in term ${latest}`,
              cost: 'reads depend on the member that answers',
              remedy: remedyOf(null, 'give the members of one cluster in --endpoints'),
            },
          ]
        : []
    const furthest = Math.max(...members.map(({ status }) => status.appliedIndex))
    const behind = members.flatMap(({ url, status }): RuleFinding[] => {
      const entries = furthest - status.appliedIndex
      if (entries <= MAX_ENTRIES_BEHIND) return []
      return [
        {
          severity: 'warning',
          member: url,
          text: `${entries} log entries behind (at rev ${status.revision})`,
          cost: 'its watches are late',
          remedy: remedyOf(null, 'check its disk and its network'),
        },
      ]
    })
    return [...apart, ...behind]
  },
}

export const silentMember: Rule<EtcdFacts> = {
  code: 'D023',
  title: 'silent member',
  severity: 'warning',
  page: `A member in --endpoints does not answer. Requests go to the other members. If one more member fails, the cluster may
lose its majority.

Start the member, or remove it from --endpoints.`,
  // A member that denies the status request is not silent: the doctor lists it as not checked.
  find: ({ members }) =>
    members.flatMap(({ url, status }): RuleFinding[] =>
      isError(status) && status.code !== 'ETCD_DENIED'
        ? [
            {
              ...(members.length === 1 ? { severity: 'error' as const } : {}),
              member: url,
              text: status.message,
              cost:
                members.length === 1
                  ? 'no other member is in --endpoints'
                  : 'requests go to the other members',
              remedy: remedyOf(null, status.suggestions[0] ?? 'start it'),
            },
          ]
        : [],
    ),
}

export const oldVersion: Rule<EtcdFacts> = {
  code: 'D024',
  title: 'etcd version',
  severity: 'warning',
  page: `A member runs a version of etcd before ${OLDEST.join('.')}, with which disco is not tested, or members run different minor versions.
Different versions are normal only during an upgrade: the cluster has only the features of its oldest member.

Upgrade by one minor version at a time, one member after the other.`,
  find(facts) {
    const members = answered(facts)
    const minors = new Set(members.map(({ status }) => minorOf(status.version)))
    const mixed: RuleFinding[] =
      minors.size > 1
        ? [
            {
              text: `members run ${[...new Set(members.map(({ status }) => status.version))].join(' and ')}`,
              remedy: remedyOf(null, 'finish the upgrade'),
            },
          ]
        : []
    const old = members
      .filter(({ status }) => isOlder(status.version))
      .map(
        ({ url, status }): RuleFinding => ({
          member: url,
          text: `etcd ${status.version} is older than ${OLDEST.join('.')}`,
          remedy: remedyOf(null, 'upgrade it, one minor version at a time'),
        }),
      )
    return [...mixed, ...old]
  },
}

export const behindProxy: Rule<EtcdFacts> = {
  code: 'D025',
  title: 'grpc-proxy',
  severity: 'warning',
  page: `The server does not answer progress requests of a watch, which etcd supports since 3.4. Usually it is etcd's grpc-proxy. It
delivers events, but to a client an idle watch looks like a broken one (etcd-io/etcd#19710). disco therefore reads a
key from time to time; etcd's own clients may miss an outage.

If the members can be reached, give them in --endpoints instead.`,
  find: (facts) =>
    answered(facts)
      .filter(({ status }) => status.answersProgress === false)
      .map(
        ({ url }): RuleFinding => ({
          member: url,
          text: "does not answer progress requests: probably etcd's grpc-proxy",
          cost: 'to a client an idle watch looks like a broken one',
          remedy: remedyOf(null, 'give the members themselves in --endpoints'),
        }),
      ),
}

function answered({ members }: EtcdFacts): ReachableMember[] {
  return members.filter((member): member is ReachableMember => !isError(member.status))
}

function isError(status: MemberStatus | DiscoError): status is DiscoError {
  return status instanceof Error
}

function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}
