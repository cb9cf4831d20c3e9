import { setTimeout as delay } from 'node:timers/promises'
import { until } from './disco.js'
import type { RealEtcd } from './etcd.js'

/** etcd refuses a change of members until they have been connected for a while. */
const RETRY_PERIOD_MS = 200

/** The id of a member in hex, read from that member or another one once a leader confirms it. */
export async function memberId({ place }: RealEtcd, via: RealEtcd): Promise<string> {
  let list = ''
  const idIn = () => {
    const lines = list.split('\n').map((line) => line.split(', '))
    return lines.find((fields) => fields[2] === place.name)?.[0]
  }
  await until(
    async () => {
      list = await via.ctl('member', 'list').catch(() => '')
      return idIn() !== undefined
    },
    () => `the member ${place.name}`,
  )
  return idIn() ?? ''
}

export async function isLeader(member: RealEtcd): Promise<boolean> {
  const fields = await member.ctl('endpoint', 'status', '-w', 'fields')
  const idOf = (field: string) => new RegExp(`"${field}" : (\\d+)`).exec(fields)?.[1]
  return idOf('MemberID') === idOf('Leader')
}

/** Removes a member through another one, and starts a new member without data in its place. */
export async function replaceMember(member: RealEtcd, via: RealEtcd): Promise<void> {
  const { name, peerUrl } = member.place
  const id = await memberId(member, via)
  await changeMembers(via, (list) => list !== '' && !list.includes(id), 'remove', id)
  await member.kill()
  await changeMembers(via, (list) => list.includes(peerUrl), 'add', name, `--peer-urls=${peerUrl}`)
  await member.joinAnew()
}

/** Adds a learner to the cluster. It has to be started afterwards. */
export async function announceLearner(place: RealEtcd['place'], via: RealEtcd): Promise<void> {
  const { name, peerUrl } = place
  const isAdded = (list: string) => list.includes(peerUrl)
  await changeMembers(via, isAdded, 'add', name, '--learner', `--peer-urls=${peerUrl}`)
}

/** Promotes a learner to a voting member once it has caught up. */
export async function promoteLearner(learner: RealEtcd, via: RealEtcd): Promise<void> {
  const id = await memberId(learner, via)
  const votes = (line: string) => line.startsWith(id) && line.endsWith('false')
  await changeMembers(via, (list) => list.split('\n').some(votes), 'promote', id)
}

/** Repeats a change until the members are as requested, because an answer may be lost in an election. */
async function changeMembers(
  via: RealEtcd,
  isDone: (list: string) => boolean,
  ...change: string[]
): Promise<void> {
  let refusal = ''
  await until(
    async () => {
      if (isDone(await via.ctl('member', 'list').catch(() => ''))) return true
      await via.ctl('member', ...change).catch(async (error: Error) => {
        refusal = error.message
        await delay(RETRY_PERIOD_MS)
      })
      return false
    },
    () => `member ${change.join(' ')}: ${refusal}`,
  )
}
