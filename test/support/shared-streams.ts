import { afterAll } from 'vitest'
import { EtcdClient } from '../../src/etcd/client.js'
import { RealEtcd } from './etcd.js'
import { Writer } from './writer.js'

export interface StreamsOnEtcd {
  readonly etcd: RealEtcd
  readonly client: EtcdClient
  /** Writes endpoints of the service hello. */
  readonly writer: Writer
}

/** An etcd that only this file uses, so that its open watch streams can be counted. */
export async function streamsOnEtcd(): Promise<StreamsOnEtcd> {
  const etcd = await RealEtcd.start()
  const writer = new Writer(etcd.endpoint, 'hello')
  const client = await EtcdClient.create({
    endpoints: [etcd.endpoint],
    endpointsSource: 'the test',
    commandTimeoutMs: 20_000,
    dialTimeoutMs: 5_000,
  })
  afterAll(async () => {
    client.close()
    writer[Symbol.dispose]()
    await etcd.stop()
  })
  return { etcd, client, writer }
}
