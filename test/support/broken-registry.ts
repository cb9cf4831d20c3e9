import { afterAll } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import type { Etcd } from './etcd.js'
import { EtcdApi } from './etcd-api.js'
import { registration } from './etcd-state.js'
import { freePorts } from './ports.js'

/**
 * Three services on five hosts, with two endpoints without a server, a drained endpoint, and one that is NOT_SERVING.
 */
export interface BrokenRegistry {
  /** Address that refuses connections; its key has no lease. */
  readonly leftover: string
  /** Address that refuses connections; its registrar keeps the lease alive. */
  readonly dead: string
  /** Address whose weight was changed from 4 to 0. */
  readonly drained: string
  /** Address whose server reports NOT_SERVING. */
  readonly sick: string
  /** Addresses of two healthy endpoints, of hello and of search. */
  readonly well: readonly string[]
  put(etcd: Etcd): Promise<void>
}

/** Sets the registry up for all tests of a file. Its servers are stopped after the last test. */
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
