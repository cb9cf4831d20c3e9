import { afterAll, expect } from 'vitest'
import { Disco, until } from './disco.js'
import { type Etcd, RealEtcd } from './etcd.js'
import { leaseIds, storedWeight } from './etcd-state.js'
import { weightsOf } from './recorded.js'
import { sharedEtcd } from './shared-etcd.js'
import { keyOf, killSupervised } from './supervised.js'

/**
 * The shared etcd and the tool, for a test file with concurrent tests that use a service each. Kills the servers of all
 * tests after the last one.
 */
export async function supervisedOnEtcd(): Promise<SupervisedOnEtcd<Etcd>> {
  return supervisedOn(await sharedEtcd())
}

/** Like `supervisedOnEtcd`, with an etcd of its own that tests may stop. */
export async function supervisedOnOwnEtcd(): Promise<SupervisedOnEtcd<RealEtcd>> {
  const etcd = await RealEtcd.start()
  // Hooks run in reverse order, so this one runs last.
  afterAll(() => etcd.stop())
  return supervisedOn(etcd)
}

function supervisedOn<Kind extends Etcd>(etcd: Kind): SupervisedOnEtcd<Kind> {
  const disco = new Disco(etcd.endpoint)
  afterAll(async () => {
    killSupervised()
    await disco.stopAll()
  })

  const weightOf = (service: string, port: number) => storedWeight(etcd, keyOf(service, port))

  return {
    etcd,
    disco,
    weightOf,
    untilWeight: (service, port, weight) =>
      until(
        async () => (await weightOf(service, port)) === weight,
        () => `${service} ${port} to have weight ${weight}`,
      ),
    history: (service, port) => weightsOf(etcd, keyOf(service, port)),
    nothingIsLeft: async () => {
      await until(
        async () => (await leaseIds(etcd)).length === 0,
        () => 'the last lease to lapse',
      )
      expect(await etcd.ctl('get', '/', '--prefix', '--keys-only')).toBe('')
    },
  }
}

interface SupervisedOnEtcd<Kind extends Etcd> {
  readonly etcd: Kind
  readonly disco: Disco
  /** The weight stored in etcd; null if the key does not exist. */
  readonly weightOf: (service: string, port: number) => Promise<number | null>
  /** Waits for a lasting weight. A temporary weight may be missed, so tests read it from the history. */
  readonly untilWeight: (service: string, port: number, weight: number | null) => Promise<void>
  readonly history: (service: string, port: number) => Promise<(number | null)[]>
  /** Fails if a lease or a key is left. */
  readonly nothingIsLeft: () => Promise<void>
}
