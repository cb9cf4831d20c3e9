import { afterAll } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import type { Etcd } from './etcd.js'
import { EtcdApi } from './etcd-api.js'
import { registration } from './etcd-state.js'
import { freePorts } from './ports.js'

/** Three services on five hosts: two endpoints without a server, one drained, one that does not serve. */
export interface BrokenRegistry {
  /** Refuses connections; without a lease. */
  readonly leftover: string
  /** Refuses connections; its registrar still holds the lease. */
  readonly dead: string
  /** Weight 0, from 4. */
  readonly drained: string
  /** NOT_SERVING. */
  readonly sick: string
  /** Two that are well, of hello and of search. */
  readonly well: readonly string[]
  put(etcd: Etcd): Promise<void>
}

/** For all tests of a file: its servers are stopped after the last. */
export async function brokenRegistry(): Promise<BrokenRegistry> {
  const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6'] as const
  const greeters: Greeter[] = await Promise.all(hosts.map((host) => startGreeter({ host, port: 0 })))
  afterAll(() => {
    for (const greeter of greeters) greeter.stop()
  })
  const [deadPort = 0, leftoverPort = 0] = await freePorts(2)
  const [hello = '', drained = '', sick = '', search = '', payments = ''] = greeters.map(({ addr }) => addr)
  const leftover = `${hosts[0]}:${leftoverPort}`
  const dead = `${hosts[4]}:${deadPort}`
  greeters[2]?.setHealth('NOT_SERVING')
  return {
    leftover,
    dead,
    drained,
    sick,
    well: [hello, search],
    async put({ endpoint }) {
      const api = new EtcdApi(endpoint)
      try {
        const lease = async () => String((await api.get('Lease/LeaseGrant', { TTL: 60 })).ID)
        const put = async ([key, value]: [string, string], held: string = '0') => ({
          request_put: { key: base64(key), value: base64(value), lease: held },
        })
        const leased = async (service: string, addr: string, version: string, weight: number) =>
          await put(registration(service, addr, { version, weight }), await lease())
        const ofDrained = await lease()
        const success = await Promise.all([
          leased('hello', hello, '1.0.0', 6),
          leased('hello', sick, '1.0.0', 2),
          put(registration('hello', leftover, { version: '1.0.0', weight: 2 })),
          leased('payments', payments, '1.4.2', 3),
          leased('payments', dead, '1.4.2', 1),
          leased('search', search, '', 5),
          put(registration('search', drained, { weight: 4 }), ofDrained),
        ])
        await api.get('KV/Txn', { success })
        await api.get('KV/Txn', {
          success: [await put(registration('search', drained, { weight: 0 }), ofDrained)],
        })
      } finally {
        api.close()
      }
    },
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
