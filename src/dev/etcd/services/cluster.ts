import { refusals } from '../errors.js'
import type { UnaryMethod } from '../transport/service.js'
import { Writer } from '../wire/writer.js'
import type { Context } from './context.js'

/** The version of etcd that this registry reports. Clients choose features by it. */
const VERSION = '3.5.30'

/** The name in `etcdctl member list`, so that this registry is not mistaken for a cluster. */
const MEMBER_NAME = 'disco-dev'

/**
 * Maintenance.Status and Alarm, Cluster.MemberList, and those methods of Auth that clients call while authentication is
 * disabled: they answer as if no user and role existed. Requests that would change the cluster are not implemented.
 */
export function clusterMethods(context: Context, clientUrl: () => string): Record<string, UnaryMethod> {
  const { store, headers } = context
  const empty: UnaryMethod = () => headers.response(store.revision).frame()
  return {
    '/etcdserverpb.Maintenance/Status': () =>
      headers
        .response(store.revision)
        .text(2, VERSION)
        .number(3, store.sizeBytes)
        .bigint(4, headers.memberId)
        .number(5, store.revision)
        .number(6, headers.raftTerm)
        .number(7, store.revision)
        .number(9, store.sizeBytes)
        .frame(),
    // The list of alarms is empty.
    '/etcdserverpb.Maintenance/Alarm': empty,
    '/etcdserverpb.Cluster/MemberList': () => {
      const member = new Writer().bigint(1, headers.memberId).text(2, MEMBER_NAME).text(4, clientUrl())
      return headers.response(0).message(2, member.body()).frame()
    },
    '/etcdserverpb.Auth/Authenticate': () => {
      throw refusals.authNotEnabled()
    },
    '/etcdserverpb.Auth/AuthEnable': () => {
      throw refusals.rootUserNotExist()
    },
    '/etcdserverpb.Auth/AuthDisable': empty,
    '/etcdserverpb.Auth/UserList': empty,
    '/etcdserverpb.Auth/RoleList': empty,
  }
}
