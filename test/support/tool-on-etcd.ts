import { afterAll, afterEach } from 'vitest'
import { Disco } from './disco.js'
import { type Etcd, RealEtcd } from './etcd.js'
import { wipe } from './etcd-state.js'
import { ResidentTool } from './resident-tool.js'
import { sharedEtcd } from './shared-etcd.js'

export interface ToolOnEtcd<Kind extends Etcd> {
  readonly etcd: Kind
  /** The tool with a process for each run. */
  readonly disco: Disco
  /** The tool in one process, for commands that print and end. */
  readonly tool: ResidentTool
}

/**
 * The etcd of the worker, and the tool against it. After each test, processes of the tool are stopped and etcd is
 * emptied.
 */
export async function toolOnEtcd(): Promise<ToolOnEtcd<Etcd>> {
  return toolOn(await sharedEtcd())
}

/** Like `toolOnEtcd`, with an etcd of its own that tests may stop and freeze. */
export async function toolOnOwnEtcd(): Promise<ToolOnEtcd<RealEtcd>> {
  const etcd = await RealEtcd.start()
  // Registered first, so it runs last.
  afterAll(() => etcd.stop())
  return toolOn(etcd)
}

function toolOn<Kind extends Etcd>(etcd: Kind): ToolOnEtcd<Kind> {
  const disco = new Disco(etcd.endpoint)
  const tool = new ResidentTool(etcd.endpoint)
  afterEach(async () => {
    await disco.stopAll()
    await wipe(etcd)
  })
  afterAll(() => tool[Symbol.asyncDispose]())
  return { etcd, disco, tool }
}
