import { describe, expect, it } from 'vitest'
import { findingsBy } from '../../../src/doctor/finding.js'
import { ETCD_RULES } from '../../../src/doctor/rules/index.js'
import { DiscoError } from '../../../src/domain/errors.js'
import type { MemberStatus } from '../../../src/registry/members.js'

const WELL: MemberStatus = {
  version: '3.5.30',
  memberId: '1',
  clusterId: '7',
  leaderId: '1',
  isLearner: false,
  raftTerm: 2,
  appliedIndex: 100,
  revision: 50,
  alarms: [],
  latencyMs: 1,
  answersProgress: true,
}
const AWAY = new DiscoError('ETCD_UNREACHABLE', 'No answer from etcd at b in 5.0s')

function found(...members: (Partial<MemberStatus> | DiscoError)[]): string[] {
  const facts = {
    members: members.map((status, at) => ({
      url: `http://m${at + 1}:2379`,
      status: status instanceof DiscoError ? status : { ...WELL, ...status },
    })),
  }
  return findingsBy(ETCD_RULES, facts, null).map(
    ({ code, severity, member, remedy }) =>
      `${code} ${severity} ${member ?? 'all'}${remedy.command === null ? '' : ` ${remedy.command.join(' ')}`}`,
  )
}

describe('findings about etcd', () => {
  it('are empty for healthy members, also one term apart or slightly behind', () => {
    expect(found({}, { raftTerm: 1, leaderId: '2' }, { appliedIndex: 99 })).toEqual([])
    // Whether a proxy stands there is not known.
    expect(found({ answersProgress: null })).toEqual([])
    // Newer versions of etcd give their status only to users with a permission.
    expect(found(new DiscoError('ETCD_DENIED', 'etcd denies app the permission'))).toEqual([])
  })

  it.each([
    [
      'an alarm, once for all members',
      [{ alarms: ['NOSPACE'] }, { alarms: ['NOSPACE'] }],
      ['D020 error http://m1:2379 etcdctl --endpoints=http://m1:2379 alarm disarm'],
    ],
    ['no leader', [{ leaderId: null }, {}], ['D021 error http://m1:2379']],
    ['two clusters', [{}, { clusterId: '8' }], ['D022 error all']],
    ['two leaders of a term', [{}, { leaderId: '2' }], ['D022 error all']],
    ['a member far behind', [{ appliedIndex: 9_000 }, {}], ['D022 warning http://m2:2379']],
    ['a member that is silent', [{}, AWAY], ['D023 warning http://m2:2379']],
    ['the only member silent', [AWAY], ['D023 error http://m1:2379']],
    ['an old version', [{ version: '3.3.27' }], ['D024 warning http://m1:2379']],
    ['an upgrade under way', [{}, { version: '3.4.23' }], ['D024 warning all']],
    ['a grpc-proxy', [{ answersProgress: false }], ['D025 warning http://m1:2379']],
  ])('%s', (_, members, expected) => {
    expect(found(...members)).toEqual(expected)
  })
})
