import type { DiscoError } from '../../domain/errors.js'
import type { MemberChecked, MemberStatus } from '../../registry/members.js'
import type { Found, Rule } from '../finding.js'
import { remedyOf } from '../mend.js'
import { listed } from '../texts.js'

/** The status of each etcd member in --endpoints. */
export interface EtcdFacts {
  readonly members: readonly MemberChecked[]
}

type Answered = MemberChecked & { readonly status: MemberStatus }

/** A member this far behind in the log serves old data, or cannot keep up. */
const MAX_ENTRIES_BEHIND = 5_000

/** disco is tested with 3.4 and 3.5. */
const OLDEST = [3, 4] as const

export const alarm: Rule<EtcdFacts> = {
  code: 'D020',
  title: 'etcd alarm',
  severity: 'error',
  page: `etcd has raised an alarm. NOSPACE: its database has reached its quota, and it refuses every write, so no server can register
or renew a lost lease, and no weight can be set. CORRUPT: members disagree about the data.

For NOSPACE make room (etcdctl compact REVISION, then etcdctl defrag on each member), then etcdctl alarm disarm. Where
keys are not left over, raise --quota-backend-bytes. For CORRUPT see etcd's disaster recovery guide.`,
  find(facts) {
    const raised = answered(facts).flatMap(({ url, status }) => status.alarms.map((kind) => ({ url, kind })))
    const kinds = [...new Set(raised.map(({ kind }) => kind))]
    return kinds.map((kind): Found => {
      const member = raised.find((one) => one.kind === kind)?.url ?? ''
      return {
        member,
        text: kind,
        cost: kind === 'NOSPACE' ? 'etcd refuses every write' : 'its data may be wrong',
        remedy: remedyOf(
          ['etcdctl', `--endpoints=${member}`, 'alarm', 'disarm'],
          kind === 'NOSPACE'
            ? 'after making room: etcdctl compact, etcdctl defrag'
            : 'after its recovery: see etcd',
        ),
      }
    })
  },
}

export const noLeader: Rule<EtcdFacts> = {
  code: 'D021',
  title: 'no leader',
  severity: 'error',
  page: `The member knows no leader: less than a majority of the cluster's members run and reach each other. Nothing can be
registered or renewed, and clients keep the last list that they have.

Start the missing members, and look at the network between them (port 2380).`,
  find: (facts) =>
    answered(facts)
      .filter(({ status }) => status.leaderId === null)
      .map(
        ({ url }): Found => ({
          member: url,
          text: 'knows no leader',
          cost: 'no registration is taken or renewed there',
          remedy: remedyOf(null, 'a majority of the members must run and reach each other'),
        }),
      ),
}

export const differingMembers: Rule<EtcdFacts> = {
  code: 'D022',
  title: 'members apart',
  severity: 'error',
  page: `The members that were named are not one cluster in step: they belong to different clusters, follow different leaders, or
one is far behind the others. What is read depends on which one answers.

Name the members of one cluster in --endpoints. A member that stays behind has a slow disk or network; look at its log.`,
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
          cost: 'what is read depends on who answers',
          remedy: remedyOf(null, 'name the members of one cluster: --endpoints'),
        },
      ]
    }
    // Members may be a term apart during an election; a term has one leader.
    const latest = Math.max(...members.map(({ status }) => status.raftTerm))
    const leaders = new Set(
      members
        .filter(({ status }) => status.raftTerm === latest && status.leaderId !== null)
        .map(({ status }) => status.leaderId),
    )
    const apart: Found[] =
      leaders.size > 1
        ? [
            {
              text: `${leaders.size} leaders in term ${latest}`,
              cost: 'what is read depends on who answers',
              remedy: remedyOf(null, 'name the members of one cluster: --endpoints'),
            },
          ]
        : []
    const furthest = Math.max(...members.map(({ status }) => status.appliedIndex))
    const behind = members.flatMap(({ url, status }): Found[] => {
      const entries = furthest - status.appliedIndex
      if (entries <= MAX_ENTRIES_BEHIND) return []
      return [
        {
          severity: 'warning',
          member: url,
          text: `${entries} log entries behind (at rev ${status.revision})`,
          cost: 'its watches are late',
          remedy: remedyOf(null, 'look at its disk and its network'),
        },
      ]
    })
    return [...apart, ...behind]
  },
}

export const silentMember: Rule<EtcdFacts> = {
  code: 'D023',
  title: 'member silent',
  severity: 'warning',
  page: `A member that was named does not answer. Requests move on to the others; with one more member lost the cluster
may be without a majority.

Start it, or leave it out of --endpoints.`,
  // A member that denies its status has answered: that is listed as not checked.
  find: ({ members }) =>
    members.flatMap(({ url, status }): Found[] =>
      isError(status) && status.code !== 'ETCD_DENIED'
        ? [
            {
              ...(members.length === 1 ? { severity: 'error' as const } : {}),
              member: url,
              text: status.message,
              cost: members.length === 1 ? 'it is the only one that is named' : 'the others serve',
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
  page: `A member runs an etcd before ${OLDEST.join('.')}, with which disco is not tested, or members run different minor versions, as they do
only during an upgrade: the cluster then works at the level of the oldest.

Upgrade, one minor version at a time, a member after the other.`,
  find(facts) {
    const members = answered(facts)
    const minors = new Set(members.map(({ status }) => minorOf(status.version)))
    const mixed: Found[] =
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
        ({ url, status }): Found => ({
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
  page: `The server does not answer progress requests of a watch, as etcd does from 3.4 on: usually etcd's grpc-proxy stands between.
It delivers events, and a client cannot tell a quiet watch from a dead one (etcd-io/etcd#19710). disco reads a key
instead; etcd's own clients may miss an outage.

Name the members themselves in --endpoints where they can be reached.`,
  find: (facts) =>
    answered(facts)
      .filter(({ status }) => status.answersProgress === false)
      .map(
        ({ url }): Found => ({
          member: url,
          text: "answers no progress requests: etcd's grpc-proxy, or one like it, stands between",
          cost: 'clients cannot tell a quiet watch from a dead one',
          remedy: remedyOf(null, 'name the members themselves: --endpoints'),
        }),
      ),
}

function answered({ members }: EtcdFacts): Answered[] {
  return members.filter((member): member is Answered => !isError(member.status))
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
