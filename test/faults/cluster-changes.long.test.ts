import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ClusterSite, expectNoCost, TTL_SECONDS } from '../support/cluster-site.js'
import { EtcdCluster } from '../support/etcd-cluster.js'
import { promoteLearner, replaceMember } from '../support/etcd-membership.js'

/** Pause between two changes, longer than the time between two keep-alives. */
const SETTLE_MS = (TTL_SECONDS * 1_000) / 2
/** The pauses take up to 18 s, and a change of members takes long on a busy machine. */
const TIMEOUT_MS = 120_000

describe('registrars, watches and resolvers of a cluster are not affected when', {
  timeout: TIMEOUT_MS,
}, () => {
  test('its members are replaced one after the other', async ({ annotate }) => {
    await using cluster = await EtcdCluster.start()
    await using site = await ClusterSite.start(cluster)
    const [first, second, third] = cluster.members
    if (!first || !second || !third) throw new Error('a cluster has three members')
    for (const [member, via] of [
      [first, second],
      [second, third],
      [third, first],
    ] as const) {
      site.unfit.add(member)
      await replaceMember(member, via)
      await delay(SETTLE_MS)
      site.unfit.delete(member)
    }
    const cost = await site.expectWhole()
    await annotate(JSON.stringify(cost))
    expectNoCost(cost)
  })

  test('a learner is the first endpoint, a member is killed, and the learner is promoted', async ({
    annotate,
  }) => {
    await using cluster = await EtcdCluster.start()
    const learner = await cluster.addLearner()
    await using site = await ClusterSite.start(cluster, [learner.endpoint, ...cluster.endpoints])
    await delay(SETTLE_MS)
    const [first, second] = cluster.members
    if (!first || !second) throw new Error('a cluster has three members')
    site.unfit.add(first)
    await first.kill()
    await delay(SETTLE_MS)
    await first.restart()
    await delay(SETTLE_MS)
    await promoteLearner(learner, second)
    const cost = await site.expectWhole()
    await annotate(JSON.stringify(cost))
    expectNoCost(cost)
  })

  test('it is upgraded from 3.4 to 3.5 member by member', async ({ annotate }) => {
    await using cluster = await EtcdCluster.start('3.4')
    await using site = await ClusterSite.start(cluster)
    for (const member of cluster.members) {
      site.unfit.add(member)
      await member.upgrade('3.5')
      await delay(SETTLE_MS)
      site.unfit.delete(member)
      expect(await member.ctl('endpoint', 'status')).toContain(', 3.5.')
    }
    const cost = await site.expectWhole()
    await annotate(JSON.stringify(cost))
    expectNoCost(cost)
  })
})
