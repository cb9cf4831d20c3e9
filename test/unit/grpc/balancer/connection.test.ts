import { connectivityState, type experimental } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { connectionTo } from '../../../../src/grpc/balancer/connection.js'
import { FakeSubchannel } from '../../../support/fake-subchannel.js'

const { IDLE, CONNECTING, READY, TRANSIENT_FAILURE } = connectivityState
const ADDRESS = { host: '10.0.0.1', port: 80 }
const FAILED = 'No connection established. Last error: Error: refused. Resolution note: a note'

/** A connection to one address, with what it reports. */
function connected(state: connectivityState) {
  const subchannel = new FakeSubchannel(ADDRESS, state)
  const reported: [state: connectivityState, isUsable: boolean, problem: string | null][] = []
  const counts = { children: 0, resolutions: 0 }
  const helper: experimental.ChannelControlHelper = {
    createSubchannel: () => subchannel,
    updateState: () => {},
    requestReresolution: () => void counts.resolutions++,
    addChannelzChild: () => void counts.children++,
    removeChannelzChild: () => void counts.children--,
  }
  const connection = connectionTo(
    { addresses: [ADDRESS] },
    { helper, options: {}, resolutionNote: 'a note' },
    { update: (state, to, problem) => void reported.push([state, to === subchannel, problem]) },
  )
  connection.connect()
  return { subchannel, reported, counts, connection }
}

describe('a connection to one address', () => {
  it('connects, and reconnects when the connection ends', () => {
    const { subchannel, reported } = connected(IDLE)
    expect(subchannel.attempts).toBe(1)
    for (const state of [CONNECTING, READY, IDLE, CONNECTING, READY]) subchannel.become(state)
    expect(reported).toEqual([
      [CONNECTING, false, null],
      [READY, true, null],
      [CONNECTING, false, null],
      [READY, true, null],
    ])
    expect(subchannel.attempts).toBe(2)
  })

  it('counts as failing from a failed attempt until it is READY, and keeps trying', () => {
    const { subchannel, reported, counts } = connected(IDLE)
    subchannel.become(TRANSIENT_FAILURE, 'Error: refused')
    subchannel.become(CONNECTING)
    subchannel.become(TRANSIENT_FAILURE, 'Error: refused')
    subchannel.become(IDLE)
    subchannel.become(READY)
    expect(reported).toEqual([
      [CONNECTING, false, null],
      [TRANSIENT_FAILURE, false, FAILED],
      [TRANSIENT_FAILURE, false, FAILED],
      [READY, true, null],
    ])
    expect(subchannel.attempts).toBe(4)
    expect(counts.resolutions).toBe(2)
  })

  it.each([
    ['READY', READY, [READY, true, null]],
    ['CONNECTING', CONNECTING, [CONNECTING, false, null]],
    ['failing', TRANSIENT_FAILURE, [TRANSIENT_FAILURE, false, FAILED.replace('Error: refused', 'null')]],
  ])('that another channel has, and that is %s, is so at once', (_, state, expected) => {
    expect(connected(state).reported).toEqual([expected])
  })

  it('is failing while a wrapper, such as that of outlier_detection, reports it as unhealthy', () => {
    const { subchannel, reported } = connected(READY)
    subchannel.setHealthy(false)
    subchannel.setHealthy(true)
    expect(reported).toEqual([
      [READY, true, null],
      [TRANSIENT_FAILURE, false, 'Picked subchannel 10.0.0.1:80 is unhealthy'],
      [READY, true, null],
    ])
  })

  it('is not reported READY by its health before the connection is READY', () => {
    const { subchannel, reported } = connected(IDLE)
    subchannel.setHealthy(false)
    subchannel.setHealthy(true)
    expect(reported).toEqual([[CONNECTING, false, null]])
  })

  it('leaves no subchannel behind when it is closed, even twice', () => {
    const { subchannel, reported, counts, connection } = connected(READY)
    expect([subchannel.references, counts.children]).toEqual([1, 1])
    connection.close()
    connection.close()
    expect([subchannel.references, counts.children]).toEqual([0, 0])
    expect(subchannel.states.size + subchannel.health.size).toBe(0)
    subchannel.become(IDLE)
    expect(reported).toHaveLength(1)
  })
})
