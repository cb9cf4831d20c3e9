import { afterAll, afterEach } from 'vitest'
import { Disco } from './disco.js'
import { RealEtcd } from './etcd.js'
import { wipe } from './etcd-state.js'
import { ResidentTool } from './resident-tool.js'

export interface ToolOnEtcd {
  readonly etcd: RealEtcd
  /** Each run is a process. */
  readonly disco: Disco
  /** One process for commands that print and end. */
  readonly tool: ResidentTool
}

/** A real etcd for a test file, and the tool against it. After each test nothing of it runs, and etcd is empty. */
export async function toolOnEtcd(): Promise<ToolOnEtcd> {
  const etcd = await RealEtcd.start()
  const disco = new Disco(etcd.endpoint)
  const tool = new ResidentTool(etcd.endpoint)
  afterEach(async () => {
    await disco.stopAll()
    await wipe(etcd)
  })
  afterAll(async () => {
    await tool[Symbol.asyncDispose]()
    await etcd.stop()
  })
  return { etcd, disco, tool }
}
