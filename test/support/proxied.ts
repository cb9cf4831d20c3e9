import { Client, type ClientOptions, credentials } from '@grpc/grpc-js'
import { afterEach } from 'vitest'
import type { Endpoint } from '../../src/domain/endpoint.js'
import { findPolicy } from '../../src/policies/index.js'
import type { CallEnd } from '../../src/proxy/call.js'
import { PLAINTEXT } from '../../src/proxy/dial.js'
import { ProxyServer, type ProxySettings } from '../../src/proxy/proxy-server.js'
import { until } from './disco.js'
import { ScriptedDiscovery } from './scripted-discovery.js'

const PLAIN_LISTENER = { host: '127.0.0.1', port: 0, tls: null, connectionAgeMs: () => null }

/** A proxy in the process of the test, with a scripted registry. */
export class Proxied {
  private readonly clients: Client[] = []

  private constructor(
    readonly proxy: ProxyServer,
    readonly discovery: ScriptedDiscovery,
    /** The ended calls. */
    readonly ends: readonly CallEnd[],
    /** The reasons of failed connections. */
    readonly failed: readonly string[],
  ) {}

  /** Number of replays of calls. */
  get replays(): number {
    return this.ends.reduce((sum, { replays }) => sum + replays, 0)
  }

  /** A client with a connection of its own. */
  client(options: ClientOptions = {}): Client {
    const client = new Client(this.proxy.address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      ...options,
    })
    this.clients.push(client)
    return client
  }

  /** Waits until every endpoint is READY, or its first connection attempt has failed. */
  async settled(): Promise<void> {
    await until(
      () => this.proxy.isSettled,
      () => 'the endpoints of the proxy',
    )
  }

  stop(): Promise<void> {
    for (const client of this.clients) client.close()
    const drained = this.proxy.drain()
    this.proxy.cut()
    return drained
  }

  static async start(
    endpoints: readonly Partial<Endpoint>[],
    settings: Partial<ProxySettings> = {},
  ): Promise<Proxied> {
    const discovery = new ScriptedDiscovery()
    discovery.list(...endpoints)
    const ends: CallEnd[] = []
    const failed: string[] = []
    const proxy = await ProxyServer.start({
      discovery,
      listen: PLAIN_LISTENER,
      targets: ['hello'],
      route: null,
      policy: findPolicy('weighted_round_robin').configure({}),
      healthService: null,
      dialerOf: () => PLAINTEXT,
      waitMs: 0,
      replayBytes: 256 * 1024,
      random: Math.random,
      observerOf: () => ({ failed: (_, problem) => failed.push(problem) }),
      ended: (end) => ends.push(end),
      ...settings,
    })
    return new Proxied(proxy, discovery, ends, failed)
  }
}

/** A function that starts proxies, which are stopped after each test. */
export function proxies(): typeof Proxied.start {
  const started: Proxied[] = []
  afterEach(async () => {
    await Promise.all(started.splice(0).map((proxied) => proxied.stop()))
  })
  return async (...args) => {
    const proxied = await Proxied.start(...args)
    started.push(proxied)
    await proxied.settled()
    return proxied
  }
}
