import type { ServiceFacts } from '../facts.js'
import type { Rule } from '../finding.js'
import {
  alarm,
  behindProxy,
  differingMembers,
  type EtcdFacts,
  noLeader,
  oldVersion,
  silentMember,
} from './etcd.js'
import { badValue, misplaced, notForGrpc, severalLayouts, sharedAddress, undialable } from './key.js'
import { noLease, notRenewed, sharedLease, shortTtl } from './lease.js'
import { notServing, otherProtocol, unreachable } from './server.js'
import { drained, ignoredWeight } from './weight.js'

export type { EtcdFacts }

/** Rules about the registrations of one service and their servers. */
export const SERVICE_RULES: readonly Rule<ServiceFacts>[] = [
  noLease,
  unreachable,
  notServing,
  otherProtocol,
  undialable,
  sharedAddress,
  badValue,
  misplaced,
  ignoredWeight,
  drained,
  sharedLease,
  shortTtl,
  notRenewed,
  severalLayouts,
  notForGrpc,
]

/** Rules about etcd. */
export const ETCD_RULES: readonly Rule<EtcdFacts>[] = [
  alarm,
  noLeader,
  differingMembers,
  silentMember,
  oldVersion,
  behindProxy,
]

/** Every kind of finding, for `disco help`. */
export const RULES: readonly Omit<Rule<never>, 'find'>[] = [...SERVICE_RULES, ...ETCD_RULES]
