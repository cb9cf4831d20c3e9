import { afterAll, afterEach } from 'vitest'
import { Disco } from './disco.js'
import { RealEtcd } from './etcd.js'
import { wipe } from './etcd-state.js'

/** A real etcd for a test file, and the tool against it. After each test nothing of it runs, and etcd is empty. */
export async function toolOnEtcd(): Promise<{ readonly etcd: RealEtcd; readonly disco: Disco }> {
  const etcd = await RealEtcd.start()
  const disco = new Disco(etcd.endpoint)
  afterEach(async () => {
    await disco.stopAll()
    await wipe(etcd)
  })
  afterAll(() => etcd.stop())
  return { etcd, disco }
}
